//! Sigma 1's aggregations (`selection | count(user) by ip > 5`), put in the
//! words of the correlation that replaces them.

/// The correlation to write for what stands after the `|`, as YAML on one
/// line. `None` when it is not such an aggregation.
pub(super) fn correlation(aggregation: &str, timeframe: Option<&str>) -> Option<String> {
    let (function, rest) = aggregation.trim().split_once('(')?;
    let (field, rest) = rest.split_once(')')?;
    let field = Some(field.trim()).filter(|field| !field.is_empty());
    let rest = rest.trim_start();
    let at = rest.find(['<', '>', '=', '!'])?;
    let (by, comparison) = rest.split_at_checked(at)?;
    let signs = comparison.len() - comparison.trim_start_matches(['<', '>', '=', '!']).len();
    let (sign, number) = comparison.split_at_checked(signs)?;
    let number = number.trim();
    number.parse::<f64>().ok()?;
    let operator = match sign {
        ">" => "gt",
        ">=" => "gte",
        "<" => "lt",
        "<=" => "lte",
        "=" | "==" => "eq",
        "!=" => "neq",
        _ => return None,
    };
    let (kind, more) = match (function.trim(), field) {
        ("count", None) => ("event_count", ""),
        ("count", Some(_)) => ("value_count", ""),
        ("sum", Some(_)) => ("value_sum", ""),
        ("avg", Some(_)) => ("value_avg", ""),
        // The least and the greatest value are percentiles as well.
        ("min", Some(_)) => ("value_percentile", "percentile: 0, "),
        ("max", Some(_)) => ("value_percentile", "percentile: 100, "),
        _ => return None,
    };
    let field = field.map_or_else(String::new, |field| format!("field: {}, ", quoted(field)));
    let group = match by.trim().strip_prefix("by ") {
        Some(fields) => {
            let fields: Vec<String> = fields.split(',').map(|f| quoted(f.trim())).collect();
            format!("group-by: [{}], ", fields.join(", "))
        }
        None if by.trim().is_empty() => String::new(),
        None => return None,
    };
    let timespan = timeframe.unwrap_or("5m");
    Some(format!(
        "{{type: {kind}, rules: [NAME], {group}timespan: {timespan}, \
         condition: {{{field}{more}{operator}: {number}}}}}"
    ))
}

/// A field's name as YAML within `{}`.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_aggregation_has_its_correlation() {
        let cases = [
            (
                " count() by source.ip > 5",
                "{type: event_count, rules: [NAME], group-by: [source.ip], timespan: 10m, condition: {gt: 5}}",
            ),
            (
                "count(user.name) by a, b>=3",
                "{type: value_count, rules: [NAME], group-by: [a, b], timespan: 10m, condition: {field: user.name, gte: 3}}",
            ),
            (
                "count() > 100",
                "{type: event_count, rules: [NAME], timespan: 10m, condition: {gt: 100}}",
            ),
            (
                "sum(bytes) by host < 5.5",
                "{type: value_sum, rules: [NAME], group-by: [host], timespan: 10m, condition: {field: bytes, lt: 5.5}}",
            ),
            (
                "max(x y) = 1",
                "{type: value_percentile, rules: [NAME], timespan: 10m, condition: {field: 'x y', percentile: 100, eq: 1}}",
            ),
        ];
        for (old, new) in cases {
            assert_eq!(correlation(old, Some("10m")).as_deref(), Some(new), "{old}");
        }
        for other in [
            "near x",
            "count",
            "count() by x",
            "count() > many",
            "median(x) > 1",
            "count() of x > 1",
        ] {
            assert_eq!(correlation(other, None), None, "{other}");
        }
    }

    #[test]
    fn the_correlation_loads() {
        let options = super::super::LoadOptions::default();
        for old in [
            "count() by source.ip > 5",
            "count(user.name) > 2",
            "min(x) by 'a b' != 1",
        ] {
            let new = correlation(old, None).unwrap();
            let text = format!(
                "title: a\nname: NAME\nlogsource: {{product: linux}}\n\
                 detection: {{s: {{a: b}}, condition: s}}\n---\ntitle: b\ncorrelation: {new}\n"
            );
            assert!(
                super::super::load_text("a.yml", &text, &options).is_ok(),
                "{new}"
            );
        }
    }
}
