//! What was done: bought, sold, exchanged.

use serde::{Deserialize, Serialize};

/// Kind of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeKind {
    /// Bought.
    Purchase,
    /// Sold; the form does not say how much of the holding.
    Sale,
    /// All of the holding sold.
    SaleFull,
    /// Part of the holding sold.
    SalePartial,
    /// One security given for another.
    Exchange,
    /// The form does not say. For the rules it may have been any of them.
    Unknown,
}

/// Reads a trade's kind; [`TradeKind::Unknown`] where the cell is blank, nothing where it holds a word nobody told us of.
pub fn read_trade_kind(text: &str) -> Option<TradeKind> {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    Some(match flat.as_str() {
        "" | "-" | "--" => TradeKind::Unknown,
        "purchase" | "p" | "buy" => TradeKind::Purchase,
        "sale" | "s" | "sell" => TradeKind::Sale,
        "sale (full)" | "sale_full" | "s (full)" => TradeKind::SaleFull,
        "sale (partial)" | "sale_partial" | "s (partial)" => TradeKind::SalePartial,
        "exchange" | "e" => TradeKind::Exchange,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_in_any_case_and_nothing_guessed() {
        for (text, kind) in [
            ("Purchase", TradeKind::Purchase),
            ("purchase", TradeKind::Purchase),
            ("Sale", TradeKind::Sale),
            ("Sale (Full)", TradeKind::SaleFull),
            ("sale  (partial)", TradeKind::SalePartial),
            ("EXCHANGE", TradeKind::Exchange),
            ("", TradeKind::Unknown),
        ] {
            assert_eq!(read_trade_kind(text), Some(kind), "{text}");
        }
        for odd in ["Received", "Sale (", "Sales", "gift"] {
            assert_eq!(read_trade_kind(odd), None, "{odd}");
        }
    }
}
