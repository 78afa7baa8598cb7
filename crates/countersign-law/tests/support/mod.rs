//! Scenarios of every shape: each word of the schema turns up somewhere, with few names, so that they meet.

use countersign_law::amount::Amount;
use countersign_law::day::Day;
use countersign_law::*;
use proptest::prelude::*;
use serde::de::DeserializeOwned;

/// The words of an enumeration of the schema, read from the schema itself.
fn words<T: DeserializeOwned + Clone + std::fmt::Debug + 'static>(name: &str) -> impl Strategy<Value = T> + use<T> {
    let schema = serde_json::to_value(schema()).unwrap();
    let of = &schema["$defs"][name];
    let values: Vec<serde_json::Value> = match (of["oneOf"].as_array(), of["enum"].as_array()) {
        (Some(one_of), _) => {
            one_of.iter().flat_map(|o| o["enum"].as_array().cloned().unwrap_or_else(|| vec![o["const"].clone()])).collect()
        }
        (_, Some(words)) => words.clone(),
        _ => panic!("{name} is no enumeration"),
    };
    let all: Vec<T> = values.into_iter().map(|v| serde_json::from_value(v).unwrap()).collect();
    prop::sample::select(all)
}

fn maybe<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.7, of)
}

fn flag() -> impl Strategy<Value = Option<bool>> {
    prop::option::weighted(0.4, any::<bool>())
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["Ash", "Birch", "Cedar", ""]).prop_map(str::to_owned)
}

fn day() -> impl Strategy<Value = Day> {
    (2024i16..2027, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| Day::new(y, m, d).unwrap())
}

fn amount() -> impl Strategy<Value = Amount> {
    (prop::sample::select(vec![0u64, 1_001, 9_000, 15_000, 15_001, 25_000, 50_000]), prop::option::of(0u64..30_000))
        .prop_map(|(low, more)| Amount::between(low, more.map(|m| low + m)).unwrap())
}

pub fn interest() -> impl Strategy<Value = Interest> {
    let what = (maybe(words("Holder")), maybe(words("Asset")), name(), flag(), maybe(amount()), maybe(words("IfDecided")));
    let more = (prop::option::weighted(0.2, day()), maybe(words("HeldAgainst")), flag(), flag(), maybe(fund()), maybe(plan()));
    (what, more).prop_map(
        |((holder, asset, issuer, publicly_traded, value, if_decided), (divested_on, held_against, alone, open, fund, plan))| Interest {
            holder,
            asset,
            issuer,
            publicly_traded,
            value,
            if_decided,
            divested_on,
            held_against,
            about_this_holder_alone: alone,
            open_to_public: open,
            fund,
            plan,
            ..Interest::default()
        },
    )
}

fn fund() -> impl Strategy<Value = Fund> {
    (maybe(words("Concentration")), prop::sample::select(vec!["health", "chips"]), name(), flag(), flag()).prop_map(
        |(c, sector, holding, inside, about)| Fund {
            prospectus_concentrates_in: c,
            sector: sector.into(),
            holding,
            holding_is_in_that_sector: inside,
            matter_is_about_the_fund: about,
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    (flag(), flag(), flag(), flag(), flag()).prop_map(|(varying, trustee, picks, sharing, sponsor)| Plan {
        written_policy_of_varying: varying,
        independent_trustee: trustee,
        holder_picks_investments: picks,
        profit_sharing_or_stock_bonus: sharing,
        matter_is_about_sponsor: sponsor,
        ..Plan::default()
    })
}

pub fn tie() -> impl Strategy<Value = Tie> {
    let what = (maybe(words("Holder")), name(), maybe(words("TieRole")), flag(), prop::option::weighted(0.2, day()), flag());
    (what, maybe(words("PartInMatter")), maybe(words("IfDecided")), flag(), maybe((flag(), flag(), flag(), flag()))).prop_map(
        |((who, with, role, sought, ended_on, paid), part_in_matter, if_decided, official_capacity, org)| Tie {
            who,
            with,
            role,
            sought,
            ended_on,
            paid,
            part_in_matter,
            if_decided,
            official_capacity,
            organization: org.map(|(tax_exempt, higher_education, person_on_leave, other_campus)| Organization {
                tax_exempt,
                higher_education,
                person_on_leave,
                other_campus,
                ..Organization::default()
            }),
            ..Tie::default()
        },
    )
}

fn matter() -> impl Strategy<Value = Matter> {
    let concerned = (name(), words("Standing")).prop_map(|(name, stands_as)| Concerned { name, stands_as });
    let concerns = prop::collection::vec(concerned, 0..4);
    (maybe(words("MatterKind")), maybe(words("Addressed")), concerns, maybe(words("UnitedStatesPart")), maybe(words("Stage"))).prop_map(
        |(kind, addresses, concerns, united_states, stage)| Matter { kind, addresses, concerns, united_states, stage, ..Matter::default() },
    )
}

fn person() -> impl Strategy<Value = Person> {
    (maybe(words("Status")), flag(), flag(), maybe((flag(), flag(), maybe(words("Seat")), flag())), flag()).prop_map(
        |(status, public_filer, assigns_own_work, committee, considered)| Person {
            status,
            public_filer,
            assigns_own_work,
            considered_for_position_with_these_duties: considered,
            committee: committee.map(|(faca, fda, seat, medical_product)| Committee {
                federal_advisory_committee_act: faca,
                food_and_drug_administration: fda,
                seat,
                medical_product,
            }),
            ..Person::default()
        },
    )
}

fn job() -> impl Strategy<Value = JobContact> {
    let event = (words("JobEventKind"), prop::option::of(day())).prop_map(|(what, on)| JobEvent { what, on });
    (name(), maybe(words("JobRole")), prop::collection::vec(event, 0..4)).prop_map(|(with, role, events)| JobContact {
        with,
        role,
        events,
        ..JobContact::default()
    })
}

fn payment() -> impl Strategy<Value = Payment> {
    (name(), maybe(amount()), prop::option::of(day()), flag(), flag(), flag()).prop_map(|(from, value, received_on, after, plan, alike)| {
        Payment {
            from,
            value,
            received_on,
            decided_after_position_known: after,
            under_written_plan: plan,
            others_paid_alike: alike,
            ..Payment::default()
        }
    })
}

fn past() -> impl Strategy<Value = PastWork> {
    let lists = (
        prop::collection::vec(words("Step"), 0..3),
        prop::collection::vec(words("Authority"), 0..2),
        prop::collection::vec(words("Change"), 0..3),
    );
    (matter(), lists, maybe(words("Link")), flag()).prop_map(|(matter, (steps, authority, changes), now, pending_in_last_year)| PastWork {
        matter,
        steps,
        authority,
        changes,
        now,
        pending_in_last_year,
        ..PastWork::default()
    })
}

fn post() -> impl Strategy<Value = Post> {
    (name(), maybe(words("Rank")), prop::option::of(day()), prop::option::of(day()), prop::option::of(-30_000i64..30_000), flag()).prop_map(
        |(agency, rank, from, to, pay_less_threshold, continues)| Post {
            agency,
            rank,
            from,
            to,
            pay_less_threshold,
            continues_in_other_post: continues,
            ..Post::default()
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    let recipient =
        (maybe(words("RecipientKind")), name(), flag(), flag()).prop_map(|(who, agency, as_official, holds_listed_position)| Recipient {
            who,
            agency,
            as_official,
            holds_listed_position,
            ..Recipient::default()
        });
    let lists = (
        prop::collection::vec(words("Purpose"), 0..3),
        prop::collection::vec(words("Presence"), 0..3),
        prop::collection::vec(recipient, 0..3),
    );
    (maybe(words("Form")), maybe(words("Named")), lists, maybe(words("Behalf")), flag(), flag(), prop::option::of(day())).prop_map(
        |(form, named, (purpose, presence, before), on_behalf_of, disputed, paid, on)| Act {
            form,
            named,
            purpose,
            presence,
            before,
            on_behalf_of,
            disputed,
            paid,
            on,
            ..Act::default()
        },
    )
}

fn information() -> impl Strategy<Value = InformationUse> {
    let days = (prop::option::of(day()), prop::option::of(day()), prop::option::of(day()), prop::option::of(day()));
    let plan = (days, prop::option::weighted(0.4, plan_of_trading()), maybe(words("Holder")));
    (maybe(words("Gained")), maybe(words("Protection")), flag(), maybe(words("InformationUseKind")), flag(), prop::option::of(day()), plan)
        .prop_map(|(gained, protection, public, what, knowingly, public_on, ((adopted, known, on, changed), plan, told_by))| {
            InformationUse {
                plan_adopted_on: adopted,
                known_on: known,
                on,
                plan_modified_on: changed,
                plan,
                told_by,
                gained,
                protection,
                public,
                what,
                knowingly,
                public_on,
                ..InformationUse::default()
            }
        })
}

fn plan_of_trading() -> impl Strategy<Value = TradingPlan> {
    (flag(), flag(), flag(), flag(), flag()).prop_map(|(binding, fixes_terms, keeps, director_or_officer, followed)| TradingPlan {
        binding,
        fixes_terms,
        person_keeps_influence: keeps,
        director_or_officer,
        followed,
        ..TradingPlan::default()
    })
}

fn procurement() -> impl Strategy<Value = (Procurement, Compensation)> {
    let what = (name(), name(), maybe(amount()), prop::collection::vec(words("ProcurementRole"), 0..2), prop::option::of(day()));
    (what, maybe(words("JobRole")), flag(), prop::option::of(day())).prop_map(
        |((bidder, awarded_to, value, roles, last_on), role, unrelated, on)| {
            let from = awarded_to.clone();
            let value = value.map(|v| Amount::between(v.low() * 300, v.high().map(|h| h * 300)).unwrap());
            let bidders = vec![bidder];
            (
                Procurement { bidders, awarded_to, value, roles, last_on, ..Procurement::default() },
                Compensation { from, role, on, from_unrelated_division: unrelated },
            )
        },
    )
}

fn disclosure() -> impl Strategy<Value = SelectiveDisclosure> {
    (flag(), maybe(words("Speaker")), maybe(words("Told")), flag(), flag(), prop::option::of(day()), prop::option::of(day())).prop_map(
        |(issuer_reports_to_sec, speaker, told, agreed_to_confidence, knowing, learned_on, public_on)| SelectiveDisclosure {
            issuer_reports_to_sec,
            speaker,
            told,
            agreed_to_confidence,
            knowing,
            learned_on,
            public_on,
            ..SelectiveDisclosure::default()
        },
    )
}

fn personal_trade() -> impl Strategy<Value = PersonalTrade> {
    let days = (prop::option::of(day()), prop::option::of(day()), prop::option::of(day()));
    (
        maybe(words("TradingRule")),
        maybe(words("Holder")),
        maybe(words("Asset")),
        maybe(words("Side")),
        days,
        flag(),
        flag(),
        maybe(words("Offering")),
    )
        .prop_map(
            |(rule, holder, asset, side, (on, cleared_on, bought_on), agency_regulates_issuer, issuer_in_agency_proceeding, offering)| {
                PersonalTrade {
                    offering,
                    rule,
                    holder,
                    asset,
                    side,
                    on,
                    cleared_on,
                    bought_on,
                    agency_regulates_issuer,
                    issuer_in_agency_proceeding,
                    ..PersonalTrade::default()
                }
            },
        )
}

fn access_person() -> impl Strategy<Value = AccessPerson> {
    let reports = (prop::option::of(day()), prop::option::of(day()))
        .prop_map(|(submitted_on, current_as_of)| HoldingsReport { submitted_on, current_as_of });
    let sees = (flag(), flag(), flag(), flag());
    (sees, prop::option::of(day()), prop::collection::vec(reports, 0..3)).prop_map(
        |((sees_clients_trades, sees_recommendations, director_officer_or_partner, sole_with_records), since, holdings_reports)| {
            AccessPerson {
                sees_clients_trades,
                sees_recommendations,
                director_officer_or_partner,
                sole_with_records,
                since,
                holdings_reports,
                ..AccessPerson::default()
            }
        },
    )
}

fn wall_crossing() -> impl Strategy<Value = WallCrossing> {
    let days = (prop::option::of(day()), prop::option::of(day()), prop::option::of(day()));
    (maybe(words("SoundingRule")), name(), days, (flag(), flag(), flag(), flag(), flag())).prop_map(
        |(rule, issuer, (consented_on, given_on, told_ceased_on), (told_to_person, declined, told_not_to_trade, keep, recorded))| {
            WallCrossing {
                rule,
                issuer,
                consented_on,
                given_on,
                told_ceased_on,
                told_to_person,
                declined,
                told_not_to_trade,
                told_to_keep_confidence: keep,
                recorded,
                ..WallCrossing::default()
            }
        },
    )
}

fn contract_work() -> impl Strategy<Value = ContractWork> {
    (flag(), flag(), flag(), flag()).prop_map(|(clause, acquisition, disclosed, mitigated)| ContractWork {
        has_far_52_203_16: clause,
        performs_acquisition_functions: acquisition,
        interests_disclosed: disclosed,
        mitigated_with_agency: mitigated,
    })
}

fn paper() -> impl Strategy<Value = Paper> {
    let promises = prop::collection::vec(words("Promise"), 0..2);
    (maybe(words("PaperKind")), prop::option::of(day()), flag(), flag(), flag(), flag(), promises).prop_map(
        |(kind, on, written, right, disclosed, before, promises)| Paper {
            kind,
            promises,
            on,
            written,
            by_the_right_official: right,
            after_full_disclosure: disclosed,
            before_acting: before,
            ..Paper::default()
        },
    )
}

fn filing() -> impl Strategy<Value = Filing> {
    let days = (prop::option::of(day()), prop::option::of(day()), prop::option::of(0u64..366));
    (maybe(words("PositionLevel")), days, flag(), prop::collection::vec(words("FilingDuty"), 0..2), maybe(words("Supervision"))).prop_map(
        |(position, (assumed_on, left_on, days_in_year), other, duties, supervision)| Filing {
            position,
            assumed_on,
            left_on,
            days_in_year,
            other_filer_position_within_30_days: other,
            duties,
            supervision,
            ..Filing::default()
        },
    )
}

/// Any scenario.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    let conflicts = (
        prop::option::weighted(0.9, matter()),
        prop::collection::vec(words("Step"), 0..3),
        prop::collection::vec(interest(), 0..4),
        prop::collection::vec(tie(), 0..3),
        prop::collection::vec(payment(), 0..2),
        prop::collection::vec(job(), 0..2),
    );
    let later = (prop::collection::vec(post(), 0..3), prop::collection::vec(past(), 0..2), prop::collection::vec(act(), 0..2));
    let rest = (prop::collection::vec(information(), 0..2), prop::collection::vec(paper(), 0..2), prop::option::weighted(0.2, filing()));
    let market = (
        prop::collection::vec(procurement(), 0..2),
        prop::collection::vec(disclosure(), 0..2),
        prop::collection::vec(personal_trade(), 0..2),
        prop::option::weighted(0.3, contract_work()),
        (prop::option::weighted(0.2, access_person()), prop::collection::vec(wall_crossing(), 0..2)),
    );
    (person(), conflicts, later, rest, prop::option::of(day()), prop::collection::vec(words("Point"), 0..2), market).prop_map(
        |(
            mut person,
            (matter, steps, interests, ties, payments, job_contacts),
            (posts, past_work, acts),
            (information, papers, filing),
            as_of,
            asks,
            (bids, selective_disclosures, trades, contract, (access_person, wall_crossings)),
        )| {
            person.contract = contract;
            let (procurements, compensation) = bids.into_iter().unzip();
            Scenario {
                id: "generated".into(),
                asks,
                as_of,
                person,
                matter,
                steps,
                interests,
                ties,
                payments,
                job_contacts,
                posts,
                past_work,
                acts,
                information,
                papers,
                filing,
                procurements,
                compensation,
                selective_disclosures,
                trades,
                access_person,
                wall_crossings,
                ..Scenario::default()
            }
        },
    )
}
