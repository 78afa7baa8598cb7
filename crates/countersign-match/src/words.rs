//! Word lists, all in lower case, as [`crate::strip::tokens`] gives words. Own tables: small enough to read and to argue about.

/// Words for a legal form, at the end of a name or before share-class words.
#[rustfmt::skip]
pub(crate) const LEGAL: &[&str] = &[
    "inc", "incorporated", "corp", "corporation", "cp", "corpor", "co", "company", "companies", "ltd", "limited", "plc", "lp", "llc", "llp",
    "lllp", "sa", "nv", "ag", "se", "ab", "asa", "cos", "crp", "in", "oyj", "oy", "spa", "kgaa", "tbk", "bv", "gmbh", "sab", "sarl", "srl",
    "sl", "abp", "bhd", "berhad", "pcl", "pt", "as", "aktiengesellschaft", "publ", "pbc", "kk", "pte", "pty", "ulc", "saa", "sas", "cv",
    "de", "ltda", "societe", "anonyme", "aktiebolag", "naamloze", "vennootschap",
];

/// Legal forms after which only noise follows.
#[rustfmt::skip]
pub(crate) const HARD_LEGAL: &[&str] = &[
    "inc", "incorporated", "corp", "corporation", "cp", "ltd", "limited", "plc", "llc", "nv", "lp",
];

/// Legal forms of companies that are not listed as such: a name that carries one is another company than its listed namesake.
#[rustfmt::skip]
pub(crate) const UNLISTED: &[&str] = &[
    "llc", "llp", "gmbh", "ulc", "pllc", "sarl", "srl", "bv", "pte", "pty", "spc",
];

/// Words that name a class of share or a form of holding it, at the end of a name.
#[rustfmt::skip]
pub(crate) const TAIL: &[&str] = &[
    "common", "stock", "stocks", "shares", "share", "shs", "sh", "cmn", "com", "ord", "ordinary", "ords", "class", "cl", "american",
    "depositary", "depository", "receipts", "receipt", "adr", "adrs", "ads", "gdr", "sponsored", "spon", "spons", "unsponsored", "unspon",
    "new", "registered", "reg", "wi", "reit", "reits", "voting", "nonvoting", "non", "subordinate", "sub", "preferred", "pfd", "pref",
    "par", "value", "units", "unit", "series", "ser", "warrants", "warrant", "wts", "rights", "nyse", "nasdaq", "isin", "cusip", "usd",
    "restricted", "rsu", "rsus", "each", "shrs", "cap", "vot", "registry", "repstg", "interests", "limited", "partners", "chf", "cad",
    "eur", "gbp", "sbi", "na", "osaka", "tokyo", "representing", "repr", "rep", "issued", "when", "the", "of", "beneficial", "interest",
    "ben", "int", "capital", "stk", "switzerland", "delaware", "dela", "del", "bearer", "partnership", "partner", "ny", "npv", "equity",
    "security", "securities", "vested", "unvested",
];

/// Tail words that are also part of companies' names: they go only after another tail word or a legal form.
#[rustfmt::skip]
pub(crate) const SOFT_TAIL: &[&str] = &[
    "american", "capital", "of", "value", "the", "switzerland", "partnership", "partner", "limited", "interest", "equity", "security",
    "securities", "each", "when", "rights", "sub", "non", "series", "int", "ny", "reg", "unit", "units", "del", "rep", "ben", "par",
    "delaware", "sh", "restricted", "cap", "partners", "na", "osaka", "tokyo",
];

/// Places of incorporation that follow a legal form.
#[rustfmt::skip]
pub(crate) const PLACES: &[&str] = &[
    "washington", "delaware", "del", "dela", "de", "ohio", "texas", "new", "york", "jersey", "maryland", "md", "nevada", "nev", "bermuda",
    "cayman", "islands", "ireland", "uk", "va", "pa", "nj", "ny", "mn", "mass", "ma", "ca", "fl", "ind", "in", "wis", "mich", "ill", "mo",
    "n", "y", "nc", "tenn", "virginia", "pennsylvania", "california", "switz", "israel", "canada", "cda", "netherlands",
];

/// Words that come and go between a company's names for itself.
#[rustfmt::skip]
pub(crate) const WEAK: &[&str] = &[
    "group", "holdings", "the",
];

/// Abbreviations, and singulars and plurals, and the one form they are all brought to.
#[rustfmt::skip]
pub(crate) const WIDENED: &[(&str, &str)] = &[
    ("intl", "international"), ("internatl", "international"), ("inter", "international"), ("int", "international"),
    ("internationl", "international"), ("tech", "technologies"), ("techs", "technologies"), ("technology", "technologies"),
    ("technol", "technologies"), ("technolgies", "technologies"), ("hldg", "holdings"), ("hldgs", "holdings"), ("hlds", "holdings"),
    ("holding", "holdings"), ("hdg", "holdings"), ("hdgs", "holdings"), ("hldngs", "holdings"), ("grp", "group"), ("gp", "group"),
    ("groupe", "group"), ("fincl", "financial"), ("finl", "financial"), ("fin", "financial"), ("finance", "financial"),
    ("mfg", "manufacturing"), ("svc", "services"), ("svcs", "services"), ("service", "services"), ("serv", "services"), ("sys", "systems"),
    ("system", "systems"), ("comm", "communications"), ("commun", "communications"), ("communication", "communications"),
    ("communctns", "communications"), ("comms", "communications"), ("pharm", "pharmaceuticals"), ("pharma", "pharmaceuticals"),
    ("pharmaceutical", "pharmaceuticals"), ("pharmaceut", "pharmaceuticals"), ("pharms", "pharmaceuticals"), ("lab", "laboratories"),
    ("labs", "laboratories"), ("laboratory", "laboratories"), ("inds", "industries"), ("ind", "industries"), ("indus", "industries"),
    ("industry", "industries"), ("industrial", "industries"), ("industrials", "industries"), ("mtr", "motor"), ("mtrs", "motors"),
    ("natl", "national"), ("natnl", "national"), ("amer", "america"), ("am", "america"), ("bk", "bank"), ("bks", "banks"),
    ("bancorporation", "bancorp"), ("bncrp", "bancorp"), ("bancsh", "bancshares"), ("bancshs", "bancshares"), ("ins", "insurance"),
    ("mgmt", "management"), ("mgt", "management"), ("mngmt", "management"), ("ppty", "properties"), ("pptys", "properties"),
    ("property", "properties"), ("prop", "properties"), ("props", "properties"), ("rlty", "realty"), ("res", "resources"),
    ("resource", "resources"), ("ress", "resources"), ("resh", "research"), ("rsch", "research"), ("elec", "electric"),
    ("electrical", "electric"), ("electr", "electric"), ("eng", "engineering"), ("engr", "engineering"), ("bus", "business"),
    ("mach", "machines"), ("machs", "machines"), ("chem", "chemical"), ("chems", "chemical"), ("chemicals", "chemical"),
    ("prod", "products"), ("prods", "products"), ("product", "products"), ("matl", "materials"), ("matls", "materials"),
    ("trans", "transportation"), ("transn", "transportation"), ("transport", "transportation"), ("dev", "development"),
    ("devel", "development"), ("mkt", "market"), ("mkts", "markets"), ("pwr", "power"), ("gen", "general"), ("hlth", "health"),
    ("med", "medical"), ("utd", "united"), ("cap", "capital"), ("assoc", "associates"), ("assocs", "associates"), ("bros", "brothers"),
    ("entmt", "entertainment"), ("entertain", "entertainment"), ("entnt", "entertainment"), ("instr", "instruments"),
    ("instrs", "instruments"), ("instrument", "instruments"), ("petro", "petroleum"), ("pete", "petroleum"), ("ry", "railway"),
    ("rwy", "railway"), ("rlwy", "railway"), ("wtr", "water"), ("wldwde", "worldwide"), ("worldwd", "worldwide"),
    ("semicond", "semiconductor"), ("semiconductr", "semiconductor"), ("semiconductors", "semiconductor"), ("semi", "semiconductor"),
    ("nthn", "northern"), ("sthn", "southern"), ("cda", "canada"), ("invt", "investment"), ("inv", "investment"), ("invs", "investors"),
    ("invmt", "investment"), ("ent", "enterprises"), ("entpr", "enterprises"), ("enterprise", "enterprises"), ("govt", "government"),
    ("dept", "department"), ("airls", "airlines"), ("hosp", "hospitality"), ("biotech", "biotechnologies"),
    ("biotechnology", "biotechnologies"), ("ctrs", "centers"), ("ctr", "center"), ("centre", "center"), ("centres", "centers"),
    ("strs", "stores"), ("brh", "branch"), ("solution", "solutions"), ("soln", "solutions"), ("solns", "solutions"), ("sftwr", "software"),
    ("therapeutic", "therapeutics"), ("therap", "therapeutics"), ("genl", "general"), ("rest", "restaurants"), ("comnty", "community"),
    ("cmnty", "community"), ("reg", "regional"), ("acquisitions", "acquisition"), ("acq", "acquisition"), ("acqstn", "acquisition"),
    ("network", "networks"), ("mtg", "mortgage"), ("assn", "association"), ("bldg", "building"), ("util", "utilities"),
    ("utils", "utilities"), ("utility", "utilities"), ("un", "union"), ("hldng", "holdings"), ("tr", "trust"), ("pub", "public"),
    ("incm", "income"), ("secd", "secured"), ("bankshares", "bancshares"), ("telefonaktiebolaget", "telephone"), ("fedl", "federal"),
    ("pac", "pacific"), ("envrnmntl", "environmental"), ("pkg", "packaging"), ("stl", "steel"), ("rty", "realty"), ("netwrks", "networks"),
    ("partner", "partners"), ("prtnrs", "partners"), ("ptnrs", "partners"), ("brand", "brands"), ("interactve", "interactive"),
    ("scient", "scientific"), ("sciences", "science"), ("sci", "science"),
];

/// Words that say fund on their own.
#[rustfmt::skip]
pub(crate) const FUND: &[&str] = &[
    "fund", "funds", "fd", "fds", "etf", "etfs", "etp", "etps", "etn", "etns", "portfolio", "portfolios", "portf", "index", "idx", "indx",
    "ucits", "sicav", "spdr", "spdrs", "ishares", "ishare", "proshares", "powershares", "bulletshares", "ibonds", "lifepath",
    "lifestrategy", "betabuilders", "alphadex", "qqq", "my529", "uit", "flexshares", "kraneshares", "annuity", "529", "etracs", "ipath",
    "sectorspdr", "xtrackers", "hedge", "fof",
];

/// Phrases that say fund.
#[rustfmt::skip]
pub(crate) const FUND_PHRASES: &[&str] = &[
    "mutual fund", "unit trust", "unit investment trust", "money market", "money fund", "target retirement", "target date",
    "retirement trust", "collective investment", "collective trust", "select sector", "separately managed account", "managed accounts",
    "managed account", "common trust", "pooled trust", "stable value", "cash reserves", "sector spdr", "college savings", "college america",
    "collegeamerica", "variable universal life", "whole life", "asset allocation", "s p 500", "sp 500", "dow jones", "small cap", "mid cap",
    "large cap", "smallcap", "midcap", "largecap", "multi cap", "all cap", "mega cap", "emerging markets", "emerging market",
    "short term bond", "fixed income", "world allocation", "global bond", "high yield", "floating rate", "target term", "growth allocation",
    "equity income", "total return", "total stock", "total bond", "government securities", "tax exempt", "tax free", "amt free",
    "municipal bond", "managed futures",
];

/// Plans and accounts, which hold assets and are none.
#[rustfmt::skip]
pub(crate) const PLAN_PHRASES: &[&str] = &[
    "401 k", "401k", "403 b", "403b", "457 b", "401 a", "401a", "pension", "retirement plan", "savings plan", "deferred compensation",
    "defined benefit", "defined contribution", "profit sharing", "thrift plan", "thrift savings", "roth ira", "traditional ira",
    "rollover ira", "sep ira", "simple ira", "inherited ira", "retirement system", "retirement account", "cash balance plan", "457 plan",
    "incentive plan", "employee stock ownership plan", "retirement savings", "keogh", "health savings", "529 plan",
];

/// Families of funds. A family's name and one of [`STRATEGY`] after it are a fund, unless a listed issuer has exactly that name.
#[rustfmt::skip]
pub(crate) const FAMILIES: &[&str] = &[
    "fidelity", "t rowe price", "trowe price", "dfa", "dimensional", "pimco", "nuveen", "american funds", "american fds", "dodge cox",
    "tiaa", "cref", "wisdomtree", "wisdom tree", "global x", "vaneck", "van eck", "invesco", "franklin", "templeton", "blackrock",
    "jpmorgan", "jp morgan", "goldman sachs", "gs", "schwab", "charles schwab", "principal", "columbia", "john hancock", "lord abbett",
    "mfs", "putnam", "oppenheimer", "eaton vance", "calvert", "artisan", "virtus", "janus", "janus henderson", "ab", "alliancebernstein",
    "voya", "victory", "first trust", "avantis", "ark", "direxion", "graniteshares", "grayscale", "bitwise", "state street", "ssga",
    "northern", "morgan stanley", "ubs", "hartford", "harbor", "oakmark", "neuberger berman", "pgim", "prudential", "delaware", "macquarie",
    "allspring", "wells fargo", "federated", "federated hermes", "mainstay", "new york life", "nationwide", "transamerica", "thrivent",
    "usaa", "vanguard", "parnassus", "primecap", "royce", "tcw", "western asset", "legg mason", "loomis sayles", "metwest",
    "metropolitan west", "touchstone", "american century", "american beacon", "baron", "brown advisory", "causeway", "champlain",
    "cohen steers", "diamond hill", "doubleline", "driehaus", "gabelli", "gmo", "gqg", "guggenheim", "heartland", "jensen", "lazard",
    "manning napier", "matthews", "natixis", "pacer", "innovator", "first eagle", "aberdeen", "abrdn", "alger", "amg", "aqr", "bny mellon",
    "dreyfus", "bridgeway", "cambria", "carillon", "clearbridge", "deutsche", "dws", "edward jones", "bridge builder", "sei", "russell",
    "simt", "six circles", "tortoise", "vericity", "wasatch", "william blair", "growth", "capital group", "washington mutual",
    "sterling capital", "stadion", "sit", "rydex", "roundhill", "defiance", "amplify", "yieldmax", "rex", "proshares", "ishares", "spdr",
    "credit suisse", "barclays", "us", "performance trust",
];

/// Words of an investment strategy.
#[rustfmt::skip]
pub(crate) const STRATEGY: &[&str] = &[
    "cap", "equity", "equities", "growth", "value", "income", "bond", "bonds", "allocation", "balanced", "markets", "emerging", "dividend",
    "dividends", "target", "retirement", "treasury", "municipal", "muni", "yield", "duration", "core", "total", "admiral", "institutional",
    "investor", "investors", "instl", "inst", "r6", "r5", "r3", "r4", "r2", "sector", "select", "msci", "russell", "nasdaq", "ftse", "500",
    "1000", "2000", "3000", "600", "400", "100", "momentum", "quality", "volatility", "factor", "factors", "inflation", "tips", "sweep",
    "money", "market", "strategy", "strategic", "opportunities", "government", "govt", "freedom", "stock", "health", "world", "overseas",
    "developed", "eafe", "esg", "sri", "reit", "contrafund", "magellan", "puritan", "blue", "chip", "trust", "bitcoin", "gold", "silver",
    "ether", "ethereum", "technology", "advisor", "adv", "international", "intl", "global", "convertible", "preferred", "hedged", "short",
    "ultra", "limited", "term", "fixed", "securities", "mortgage", "credit", "ultrashort", "2020", "2025", "2030", "2035", "2040", "2045",
    "2050", "2055", "2060", "2065", "2070", "a1", "f1", "f2", "f3", "529a", "529c", "529e",
];

/// Markets, metals and baskets that leveraged products are written on and that are no issuer.
#[rustfmt::skip]
pub(crate) const BASKETS: &[&str] = &[
    "gold", "silver", "oil", "gas", "natural", "crude", "copper", "uranium", "bitcoin", "ether", "ethereum", "solana", "xrp", "sp",
    "nasdaq", "russell", "dow", "djia", "msci", "ftse", "csi", "semiconductor", "semiconductors", "technologies", "technology", "financial",
    "financials", "energy", "health", "healthcare", "biotech", "biotechnologies", "biotechnology", "real", "estate", "utilities",
    "consumer", "industrials", "industries", "materials", "banks", "banking", "regional", "regionals", "retail", "homebuilders",
    "aerospace", "defense", "internet", "cloud", "fang", "china", "brazil", "europe", "japan", "india", "mexico", "korea", "emerging",
    "treasury", "bond", "yield", "vix", "volatility", "dollar", "yen", "euro", "qqq", "spy", "small", "mid", "large", "magnificent",
    "seven", "7", "universe", "miners", "mining", "500", "100", "1000", "2000", "30", "400", "600", "cap", "dividend", "innovation", "ai",
    "robotics", "transportation", "travel", "cannabis", "clean", "top", "big", "p500", "s", "sp500", "mlp", "hips", "world", "global",
    "international", "us", "eafe", "sector", "stoxx", "dax", "nikkei",
];

/// Makers and words of products on a single share; what remains beside them is what the product is on.
#[rustfmt::skip]
pub(crate) const PRODUCT_WORDS: &[&str] = &[
    "direxion", "graniteshares", "trex", "rex", "yieldmax", "tradr", "axs", "defiance", "roundhill", "leverage", "leveraged", "proshares",
    "kurv", "csop", "chinaamc", "harvest", "corgi", "themes", "microsectors", "purpose", "evolve", "ninepoint", "longpoint", "etfb", "2x",
    "3x", "5x", "15x", "175x", "125x", "1x", "1", "2", "3", "5", "15", "25", "75", "175", "125", "x", "bull", "bear", "long", "short",
    "inverse", "ultra", "ultrashort", "daily", "target", "etf", "etfs", "etp", "etn", "etc", "shares", "share", "product", "option",
    "options", "income", "strategy", "strategies", "yield", "premium", "high", "enhanced", "weeklypay", "weekly", "autocallable", "growth",
    "ucits", "fund", "trust", "covered", "call", "yieldboost", "single", "stock", "and", "of", "the", "t", "on", "series", "ii", "class",
    "osprey", "ultracovered", "plus", "distribution", "0dte", "put", "write", "buffer", "stacked", "battleshares", "vs",
];

/// Words that make a product one on a single share, or at least a leveraged one.
#[rustfmt::skip]
pub(crate) const LEVERAGE: &[&str] = &[
    "2x", "3x", "5x", "15x", "175x", "125x", "1x", "bull", "bear", "inverse", "leveraged", "leverage", "yieldmax", "graniteshares",
    "weeklypay", "yieldboost", "trex", "tradr", "direxion", "kurv",
];

/// Names of coins.
#[rustfmt::skip]
pub(crate) const COINS: &[&str] = &[
    "bitcoin", "btc", "ethereum", "ether", "litecoin", "chainlink", "ripple", "xrp", "solana", "cardano", "dogecoin", "doge", "polkadot",
    "avalanche", "polygon", "shiba inu", "stellar", "stellar lumens", "uniswap", "tether", "usd coin", "usdc", "bitcoin cash", "monero",
    "tezos", "algorand", "cosmos", "filecoin", "aave", "synthetix", "fetch ai", "the graph", "tron", "near protocol", "hedera", "vechain",
    "decentraland", "axie infinity", "eos", "zcash", "dash", "maker", "compound", "yearn finance", "ethereum classic", "binance coin",
    "bnb", "sui", "aptos", "arbitrum", "optimism", "pepe", "render", "helium", "kusama", "loopring", "curve dao", "basic attention",
];

/// What people put in brackets that also is somebody's ticker.
#[rustfmt::skip]
pub(crate) const NOT_TICKERS: &[&str] = &[
    "CASH", "CD", "CDS", "DE", "DC", "S", "J", "SP", "JT", "A", "B", "K", "C", "IRA", "LLC", "LP", "ST", "OP", "PAC", "USA", "US", "UK",
    "EU", "NY", "CA", "MA", "MD", "VA", "PA", "FL", "TX", "AL", "AR", "AZ", "CO", "CT", "GA", "HI", "IA", "ID", "IL", "IN", "KS", "KY",
    "LA", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "OH", "OK", "OR", "RI", "SC", "SD", "TN", "UT",
    "VT", "WA", "WI", "WV", "WY", "AI", "IT", "PE", "VC", "REIT", "ETF", "FUND", "BOND", "NEW", "OLD", "SELF", "JOINT", "SPOUSE",
    "DEPENDENT", "CHILD", "HSA", "ROTH", "SEP", "TRUST", "REAL", "LAND", "FARM", "HOME", "LINK", "BTC", "ETH", "LTC", "XRP", "SOL", "ADA",
    "DOT", "SAFE", "SPV", "EIF", "DB", "DCP", "BDC", "EE", "LOAN", "NOTE", "GOLD", "II", "III", "IV", "VI", "I", "V", "X",
];

/// Phrases for land and buildings.
#[rustfmt::skip]
pub(crate) const PROPERTY: &[&str] = &[
    "rental property", "rental properties", "rental home", "residential real estate", "residential property", "commercial real estate",
    "commercial property", "condominium", "condo", "undeveloped land", "vacant land", "acres", "acre", "farm land", "farmland",
    "real estate apartments", "real estate office", "office building", "apartment building", "duplex", "townhouse", "land parcel",
    "rental real estate", "timberland", "vacation home", "single family home", "mineral rights", "land in",
];

/// Words for debt of the United States and its agencies.
#[rustfmt::skip]
pub(crate) const GOVERNMENT: &[&str] = &[
    "treasury", "treasuries", "treas", "tsy", "t bill", "t bills", "savings bond", "savings bonds", "federal home loan",
    "federal farm credit", "fed home ln", "fed farm", "fhlb", "ffcb", "fhlmc", "fnma", "gnma", "fannie mae", "freddie mac", "ginnie mae",
    "tips", "us govt", "us government",
];

/// Words for debt of a state or of what stands below one.
#[rustfmt::skip]
pub(crate) const MUNICIPAL: &[&str] = &[
    "muni", "municipal", "municipality", "county", "cnty", "city of", "school", "sch", "schs", "district", "dist", "authority", "auth",
    "revenue", "rev", "go", "state of", "commonwealth of", "university", "univ", "airport", "arpt", "transit", "twp", "township", "isd",
    "board of", "regents", "hosp", "hsg", "housing", "pub", "public", "utility", "util", "wtr", "swr", "sewer", "turnpike", "toll",
    "unified", "uni", "un", "village", "vlg", "town of", "redev", "hlth", "ny", "nyc", "tx", "ga", "pa", "mi", "wi", "wa", "oh", "nc", "va",
    "md", "il", "fl", "tenn", "calif", "mass", "conn",
];

/// Phrases for money and accounts.
#[rustfmt::skip]
pub(crate) const CASH_PHRASES: &[&str] = &[
    "checking", "savings account", "savings acct", "bank account", "bank accounts", "bank deposit", "deposit account", "deposit program",
    "certificate of deposit", "certificates of deposit", "credit union", "money market account", "cash account", "cash balance",
    "bank sweep", "insured deposit", "cash equivalents", "cash and", "us brokerage", "deposit sweep", "cash deposit", "sweep account",
    "bank cd", "brokerage account",
];

/// Phrases for shares that are not traded.
#[rustfmt::skip]
pub(crate) const PRIVATE_PHRASES: &[&str] = &[
    "private company", "private investment", "privately held", "private equity", "lp interest", "limited partnership interest",
    "limited partner", "limited partners", "value not readily ascertainable", "seed preferred", "series seed", "convertible promissory",
    "non public", "angel investment", "ownership interest", "family partnership", "pre ipo",
];
