//! One entity's amounts, from inside.

use super::super::Settings;
use super::super::amount::AmountState;
use super::super::sums::Model;
use super::settings;
use crate::baseline::Elementary as _;
use crate::time::{Span, Time};

fn model(delay: Span) -> Model {
    Model::new(&Settings {
        delay: Some(delay),
        season: false,
        ..settings()
    })
}

/// One sum each hour.
fn after(model: &Model, sums: &[f64]) -> AmountState {
    let mut state = AmountState::new(Time::from_secs(0), model);
    for (bucket, &sum) in (0..).zip(sums) {
        if bucket > state.bucket {
            state.open(bucket, model);
        }
        if sum > 0.0 {
            state.add(sum, 0, Time::from_secs(bucket * 3600), model);
        }
        state.close(model);
    }
    state
}

#[test]
fn a_state_takes_two_hundred_and_forty_bytes() {
    assert_eq!(size_of::<AmountState>(), 240);
}

#[test]
fn the_median_tends_to_what_was_seen() {
    let model = model(Span::ZERO);
    let mut state = after(&model, &[1e6; 400]);
    state.open(400, &model);
    let law = state.law(&model, 400);
    let (median, (low, high)) = law.expected();
    assert!((median / 1e6).log_e().abs() < 0.1, "{median}");
    assert!(low < 7e5 && high > 1.5e6, "{low} {high}");
    assert!(law.active > 0.99, "{}", law.active);
}

#[test]
fn a_bucket_is_learnt_a_day_later_and_not_before() {
    let model = model(Span::DAY);
    let mut sums = vec![1e3; 200];
    sums.resize(223, 1e5);
    let mut state = after(&model, &sums);
    let before = state.law(&model, 223);
    assert!((before.mean - 1001_f64.log_two()).abs() < 0.2, "{before:?}");
    state.open(247, &model);
    let later = state.law(&model, 247);
    assert!(later.mean > before.mean + 0.3, "{before:?} {later:?}");
}

#[test]
fn what_alerted_while_it_waited_is_never_learnt() {
    let model = model(Span::DAY);
    let mut state = after(&model, &[1e3; 200]);
    let calm = state.law(&model, 300).mean;
    state.open(200, &model);
    state.add(1e9, 0, Time::from_secs(200 * 3600), &model);
    state.note_alert(&model);
    state.close(&model);
    state.open(300, &model);
    assert!((state.law(&model, 300).mean - calm).abs() < 1e-3);
}

#[test]
fn silence_lowers_the_chance_of_activity() {
    let model = model(Span::ZERO);
    let mut state = after(&model, &[1e3; 100]);
    let busy = state.law(&model, 100).active;
    state.open(400, &model);
    let rare = state.law(&model, 400).active;
    assert!(busy > 0.9 && rare < 0.4, "{busy} {rare}");
}
