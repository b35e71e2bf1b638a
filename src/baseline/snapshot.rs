//! What a statistic saves: its own state behind a header that says under
//! which settings it was learnt.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Settings;

/// Settings without which a state means something else. Thresholds are not
/// among them: a rule may be tuned without forgetting what it learnt.
fn header(statistic: &str, settings: &Settings) -> (String, i64, i64, bool) {
    (
        statistic.to_owned(),
        settings.timespan.nanos(),
        settings.half_life.nanos(),
        settings.season,
    )
}

/// The state as bytes.
pub(super) fn pack(statistic: &str, settings: &Settings, state: &impl Serialize) -> Vec<u8> {
    let bytes = postcard::to_allocvec(&(header(statistic, settings), state));
    debug_assert!(bytes.is_ok(), "writing plain data to memory cannot fail");
    bytes.unwrap_or_default()
}

/// The state that [`pack`] wrote under settings that mean the same.
pub(super) fn unpack<T: DeserializeOwned>(
    statistic: &str,
    settings: &Settings,
    bytes: &[u8],
) -> Result<T, String> {
    type Header = (String, i64, i64, bool);
    let broken = |error| format!("the saved state of {statistic} cannot be read: {error}");
    let (found, rest) = postcard::take_from_bytes::<Header>(bytes).map_err(broken)?;
    if found != header(statistic, settings) {
        return Err(format!(
            "the state was learnt by `{}` with another timespan, half-life or season; it starts afresh",
            found.0
        ));
    }
    let (state, rest) = postcard::take_from_bytes(rest).map_err(broken)?;
    if rest.is_empty() {
        Ok(state)
    } else {
        Err(format!(
            "{} bytes follow the saved state of {statistic}",
            rest.len()
        ))
    }
}
