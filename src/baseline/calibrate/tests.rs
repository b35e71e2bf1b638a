use super::super::behaviour::settings;
use super::*;
use crate::baseline::Elementary as _;

fn strict(budget: f64) -> Settings {
    Settings {
        budget: Some(budget),
        surprise: 1.0,
        ..settings()
    }
}

/// A fleet's peaks, kept from day to day.
struct Fleet {
    settings: Settings,
    calibrator: Calibrator,
    peaks: Vec<Peak>,
    random: u64,
}

impl Fleet {
    fn new(settings: Settings, entities: usize, seed: u64) -> Fleet {
        Fleet {
            calibrator: Calibrator::new(&settings),
            settings,
            peaks: vec![Peak::default(); entities],
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn chance(&mut self) -> f64 {
        let r = &mut self.random;
        *r = r.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (f64::from(u32::try_from(*r >> 32).unwrap()) + 0.5) / 4_294_967_296.0
    }

    /// A day on which each scores what the chance between 0 and 1 is worth;
    /// how many reached the threshold.
    fn day(&mut self, score: impl Fn(f64) -> f64) -> u32 {
        let mut votes = Votes::new();
        let mut reached = 0;
        for n in 0..self.peaks.len() {
            let bits = score(self.chance());
            reached += u32::from(bits >= self.calibrator.threshold());
            let peak = &mut self.peaks[n];
            peak.raise(bits);
            self.calibrator.vote(&mut votes, peak);
        }
        self.calibrator.fold(&votes, &self.settings);
        reached
    }

    /// How many a day reached the threshold.
    fn reached(&mut self, days: u32, score: impl Fn(f64) -> f64) -> f64 {
        let sum: u32 = (0..days).map(|_| self.day(&score)).sum();
        f64::from(sum) / f64::from(days)
    }
}

/// Exceeds b once in 2^(b/stretch).
fn bits(stretch: f64) -> impl Fn(f64) -> f64 {
    move |chance| -chance.log_two() * stretch
}

/// The usual, and one in fifty that is odd and between 8 and 12 bits.
fn two_peaks(chance: f64) -> f64 {
    if chance < 0.02 {
        8.0 + 4.0 * (1.0 - chance / 0.02)
    } else {
        0.2
    }
}

/// What so many sites have of their budget in the second half of four weeks.
fn kept(entities: usize, budget: f64, score: impl Fn(f64) -> f64) -> f64 {
    let each = (0..100).map(|seed| {
        let mut fleet = Fleet::new(strict(budget), entities, seed);
        fleet.reached(14, &score);
        fleet.reached(14, &score)
    });
    each.sum::<f64>() / 100.0 / budget
}

#[test]
fn the_budget_is_kept_whatever_a_bit_is_worth() {
    for stretch in [0.5, 1.0, 2.0, 3.0] {
        for budget in [1.0, 0.2, 0.05] {
            let mut fleet = Fleet::new(strict(budget), 200, 1);
            fleet.reached(28, bits(stretch));
            let found = fleet.reached(600, bits(stretch)) / budget;
            assert!((0.6..1.5).contains(&found), "{stretch} {budget}: {found}");
            let days = fleet.calibrator.return_days(fleet.calibrator.threshold());
            let ratio = days.unwrap() * budget;
            assert!((0.9..1.2).contains(&ratio), "{stretch} {budget}: {ratio}");
        }
    }
}

#[test]
fn the_budget_is_kept_when_scores_have_two_peaks() {
    for budget in [1.0, 0.5, 0.2] {
        let found = kept(130, budget, two_peaks);
        assert!((0.5..2.0).contains(&found), "{budget}: {found}");
    }
    // Nothing is above 12 bits, which eight votes do not tell.
    assert!(kept(130, 0.1, two_peaks) < 2.0);
}

#[test]
fn beyond_the_highest_vote_the_tail_is_that_of_the_odd_and_not_of_the_usual() {
    // One in fifty is odd, with 8 bits or more, falling to a third each 6 bits.
    let odd = |chance: f64| {
        if chance < 0.02 {
            8.0 - 6.0 * (chance / 0.02).log_e()
        } else {
            0.2 + chance
        }
    };
    for budget in [0.02, 0.01] {
        let found = kept(130, budget, odd);
        assert!((0.4..2.0).contains(&found), "{budget}: {found}");
    }
}

#[test]
fn fourteen_people_have_the_alerts_that_they_asked_for() {
    for stretch in [1.0, 3.0] {
        for budget in [1.0, 0.5, 0.2, 0.1, 0.05] {
            let found = kept(14, budget, bits(stretch));
            assert!((0.5..2.0).contains(&found), "{stretch} {budget}: {found}");
        }
    }
}

#[test]
fn calibrated_bits_are_what_they_say() {
    // Reached by 2^-b of the votes: with 500 voters, once in 2^b/500 days.
    let mut fleet = Fleet::new(strict(0.05), 500, 3);
    fleet.reached(60, bits(2.5));
    for wanted in [6.0, 8.0, 12.0] {
        let days = fleet.calibrator.return_days(2.5 * wanted).unwrap();
        let found = (days * 500.0).log_two();
        assert!((found - wanted).abs() < 1.0, "{wanted}: {found}");
    }
    // Far beyond the votes it says that it does not know so well.
    let days = fleet.calibrator.return_days(2.5 * 24.0).unwrap();
    let far = (days * 500.0).log_two();
    assert!((15.0..23.0).contains(&far), "{far}");
}

#[test]
fn a_fleet_whose_scores_have_doubled_is_followed_within_days() {
    let (mut at_once, mut later) = (0.0, 0.0);
    for seed in 1..=10 {
        let mut fleet = Fleet::new(strict(0.5), 200, seed);
        fleet.reached(28, bits(1.0));
        // What leads on is that the scores were higher than what was held back.
        at_once += 1.2 * fleet.reached(12, bits(2.0));
        later += fleet.reached(28, bits(2.0)) / 10.0;
    }
    assert!(at_once < 32.0, "{at_once}");
    assert!(later < 1.0, "{later}");
}

#[test]
fn what_is_told_only_if_rare_is_told_whole_or_not_at_all() {
    let rule = Settings {
        rare_only: true,
        surprise: 5.0,
        ..strict(2.0)
    };
    // One in 32 of the entities a day has five bits: of thirty one, of two thousand sixty.
    for (entities, threshold) in [(30, 5.0), (2000, BITS_MAX)] {
        let mut fleet = Fleet::new(rule.clone(), entities, 1);
        assert!(fleet.calibrator.threshold() >= BITS_MAX);
        fleet.reached(COLD, bits(1.0));
        assert!(fleet.calibrator.threshold() >= BITS_MAX, "nobody knows yet");
        fleet.reached(21, bits(1.0));
        let found = fleet.calibrator.threshold();
        assert!((found - threshold).abs() < 1e-9, "{entities}: {found}");
    }
}

#[test]
fn few_days_go_by_bits() {
    let mut fleet = Fleet::new(strict(0.1), 1000, 1);
    assert!(fleet.calibrator.threshold() >= BLIND);
    fleet.reached(COLD, bits(0.5));
    assert!(fleet.calibrator.threshold() >= BLIND);
    fleet.reached(2, bits(0.5));
    assert_eq!(fleet.calibrator.return_days(9.0), None);
    fleet.reached(8, bits(0.5));
    assert!(fleet.calibrator.threshold() < 12.0);
    assert!(fleet.calibrator.return_days(9.0).is_some());
}

#[test]
fn that_nobody_had_a_score_yet_does_not_make_the_first_one_an_alert() {
    let mut fleet = Fleet::new(strict(0.2), 170, 1);
    fleet.reached(17, |_| 0.0);
    let threshold = fleet.calibrator.threshold();
    // Of 170 at face value one in five days has 9.7 bits; less after ten quiet days.
    assert!((5.0..9.0).contains(&threshold), "{threshold}");
    fleet.reached(60, |_| 0.0);
    assert!(fleet.calibrator.threshold() < threshold);
}

#[test]
fn who_alerts_night_after_night_does_not_raise_the_threshold() {
    let run = |sick: bool| {
        let mut fleet = Fleet::new(strict(0.2), 200, 1);
        fleet.reached(21, bits(1.0));
        let mut highest: f64 = 0.0;
        for _ in 0..60 {
            if let Some(peak) = fleet.peaks.first_mut().filter(|_| sick) {
                peak.raise(250.0);
            }
            fleet.day(bits(1.0));
            highest = highest.max(fleet.calibrator.threshold());
        }
        highest
    };
    let (calm, hit) = (run(false), run(true));
    assert!(hit < calm + 4.0, "{calm} {hit}");
}

#[test]
fn without_a_budget_the_rules_bits_hold() {
    let mut fleet = Fleet::new(
        Settings {
            surprise: 12.0,
            ..settings()
        },
        1000,
        1,
    );
    fleet.reached(40, bits(2.0));
    assert!((fleet.calibrator.threshold() - 12.0).abs() < 1e-9);
    let days = fleet
        .calibrator
        .return_days(2.0 * 1000_f64.log_two())
        .unwrap();
    assert!((0.5..2.0).contains(&days), "{days}");
}

#[test]
fn bins_are_fine_where_scores_are_and_cover_all() {
    for bits in [0.0, 0.2, 7.6, 31.9, 32.0, 127.9, 128.0, 250.0, 300.0] {
        let (from, until) = (bits_of(bin(bits)), bits_of(bin(bits) + 1));
        assert!(from <= bits && bits < until, "{from} {bits} {until}");
    }
    assert!(bin(f64::INFINITY) < BINS && bin(f64::NAN) < BINS);
}
