//! The table of everything that can be wrong with rules, by stable code.
//!
//! A code never changes its meaning: people search for it, and `check
//! --explain` prints its entry.

/// A row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Stable, such as `SIG008`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is wrong, and why it matters.
    pub explanation: &'static str,
    /// What it should look like.
    pub example: &'static str,
}

macro_rules! catalogue {
    ($($id:ident $code:literal $title:literal $explanation:literal $example:literal;)*
     $($later:literal $what:literal $why:literal $like:literal;)*) => {
        $(pub(super) const $id: &str = $code;)*

        /// Every code, in the order shown to people.
        pub static CATALOGUE: &[Entry] = &[
            $(Entry { code: $code, title: $title, explanation: $explanation, example: $example },)*
            $(Entry { code: $later, title: $what, explanation: $why, example: $like }),*
        ];
    };
}

/// What a code means.
pub fn explain(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|e| e.code.eq_ignore_ascii_case(code))
}

catalogue! {
    UNREADABLE "RUL001" "a path cannot be read" "The file or folder does not exist, or its permissions keep tipstaff out. No log is read with a part of the rules." "tipstaff check rules/";
    NO_RULES "RUL002" "no rules" "The paths hold no .yml or .yaml file with a rule that is on, so nothing could ever be found." "tipstaff check rules/";
    FILE_TOO_LARGE "RUL003" "a rules file is too large" "Rules files are at most 1 MiB; SigmaHQ's largest has 60 KiB. Lists of thousands of values belong into a value list." "expand: '%bad_hosts%'";
    NOT_TEXT "RUL004" "a rules file is not text" "Rules files are UTF-8 text without NUL bytes. UTF-16 from a Windows editor and binary files end up here." "iconv -f UTF-16 -t UTF-8 rule.yml";
    DUPLICATE "RUL005" "an id or name is used twice" "Rules refer to each other by id or name, and alerts carry the id, so each is used once in the whole set." "uuidgen";
    UNKNOWN_RULE "RUL006" "a rule refers to one that is not there" "The `rules:` of a correlation, baseline or filter hold ids or names of rules in the loaded files. Titles and file names do not count." "name: ssh_login_failed";
    CYCLE "RUL007" "rules refer to each other in a circle" "A correlation may build on other correlations, but not on itself, not even through others." "rules: [ssh_login_failed]";
    EMPTY_FILE "RUL008" "a rules file holds no document" "The file is empty or only comments." "title: ...";
    RULES_OFF "RUL009" "rules are off by their status" "Experimental rules are on only when asked for; deprecated and unsupported ones never alert." "status: test";
    MORE "RUL010" "more mistakes than are shown" "At most 100 errors and 100 warnings of one file are shown." "tipstaff check rules/one.yml";
    YAML_INVALID "YML001" "not valid YAML" "The parser could not make sense of the text at this place; the cause is often a line or two above." "A: '*wild*'";
    YAML_DUPLICATE_KEY "YML002" "a key stands twice in one map" "Other tools keep the last and lose the first without a word; in a detection this silently drops a condition." "A: [x, y]";
    YAML_TOO_LARGE "YML003" "a file grows too large or deep" "Aliases of aliases multiply; the number of values and levels of one file is limited." "rules: [a, b]";
    YAML_UNSUPPORTED "YML004" "YAML that rules do not use" "Tags other than !!str, merge keys and lists or maps as keys have no meaning in a rule." "A: '!literal'";
    NOT_A_RULE "SIG001" "not a rule document" "A document holds one of `detection:`, `correlation:`, `filter:` or `baseline:`." "detection:\n  sel: {A: x}\n  condition: sel";
    MISSING_KEY "SIG002" "a required key is missing" "Sigma 2.1 requires title, logsource and detection with a condition; the other kinds have their own list." "title: Failed logins";
    WRONG_TYPE "SIG003" "a value of the wrong kind" "The key needs a text, list, map, number or truth value, and something else stands there." "tags: [attack.t1110]";
    BAD_VALUE "SIG004" "a value that is not allowed here" "The key takes one of a few words, a UUID or a date." "level: high";
    EMPTY_LOGSOURCE "SIG005" "logsource selects nothing" "At least one of product, category and service says which logs the rule is for." "logsource: {product: linux, service: sshd}";
    LEGACY "SIG006" "written for Sigma 1" "Aggregations (`| count() by`), `near`, `timeframe:` and `action: global` left Sigma with version 2; correlations and separate documents replace them." "correlation:\n  type: event_count\n  rules: [failed]\n  group-by: [source.ip]\n  timespan: 5m\n  condition: {gte: 10}";
    TAXONOMY "SIG007" "an unknown taxonomy" "Field names of another taxonomy than Sigma's would match nothing." "taxonomy: sigma";
    UNKNOWN_MODIFIER "SIG008" "an unknown modifier" "Modifiers are those of Sigma 2.1, in lower case, separated by `|`." "CommandLine|contains|all: [a, b]";
    MODIFIER_ORDER "SIG009" "modifiers that do not combine" "Modifiers are applied from left to right, and each needs a value of a kind that the one before it leaves." "A|wide|base64offset|contains: ping";
    MODIFIER_VALUE "SIG010" "a value that its modifier cannot use" "lt, lte, gt, gte need numbers, exists needs true or false, cidr needs a network without host bits, base64 needs text without wildcards." "A|cidr: 192.168.0.0/16";
    EMPTY "SIG011" "nothing to look for" "An empty list or map would match nothing or everything, depending on the tool." "A: [x]";
    CONDITION "SIG012" "a condition that cannot be read" "Conditions are search names joined by lower-case and, or, not, brackets, and `1 of`, `any of`, `all of`." "condition: 1 of sel_* and not filter";
    UNKNOWN_SEARCH "SIG013" "a condition names a search that is not there" "Each name in a condition is a key of the detection, letter by letter." "condition: selection";
    EMPTY_SELECTOR "SIG014" "a selector that matches no search" "`1 of x*` or `all of x*` without any x never holds here; other tools differ. `them` and patterns leave out names that start with `_`." "condition: 1 of sel_*";
    PLACEHOLDER "SIG015" "a placeholder without a list" "`expand` replaces %name% by the values of a list from the configuration; without the list the rule would look for the percent signs." "[lists]\nadmins = [\"root\"]";
    REGEX "SIG016" "a regular expression that cannot be used" "Expressions are matched in linear time: no look-around and no back-references, and a limited size." "A|re: '^/tmp/[a-z]{8}$'";
    UNKNOWN_KEY "SIG017" "an unknown key" "Nothing reads this key; a misspelt setting that is silently ignored is worse than an error." "timespan: 5m";
    TOO_DEEP "SIG018" "nested too deep" "Searches and brackets nest at most 40 levels." "(a or b) and c";
    CORRELATION_TYPE "COR001" "an unknown correlation type" "Sigma 2.1 has event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile; value_median is common." "type: event_count";
    COMPARISON "COR002" "a condition without a usable comparison" "Counting types need at least one of gt, gte, lt, lte, eq, neq with a number; two make a range." "condition: {gte: 10}";
    TIMESPAN "COR003" "a timespan that cannot be read" "A whole number above 0 and one of s, m, h, d, w, M (30 days), y (365 days); at most ten years." "timespan: 15m";
    ALIAS "COR004" "an alias that does not fit" "An alias names, for the rules of this document, the field that stands for it." "aliases:\n  user: {rule_a: user.name, rule_b: user.target.name}";
    PERCENTILE "COR005" "which percentile is not said" "Sigma's example of value_percentile names none; pySigma reads `percentile:` in the condition, and so does tipstaff." "condition: {field: source.bytes, percentile: 95, gte: 1000000}";
    FILTER_TARGET "FLT001" "a filter that cannot narrow its rule" "Filters add a condition to detections whose logsource they include." "filter: {rules: [ssh_login], sel: {A: x}, condition: not sel}";
    BASELINE_TYPE "BAS001" "an unknown baseline type" "The types are the statistics that tipstaff has." "type: first_seen";
    BASELINE_CONDITION "BAS002" "a baseline without surprise or floor" "Every baseline says how many bits of surprise are worth an alert, and how much must have happened at least: 2 where 0.01 are usual is rarely worth a page." "condition: {value: {gte: 5}, surprise: {gte: 20}}";
    LEARN "BAS003" "a learning setting out of range" "The settings of `learn:` have ranges outside of which a baseline learns nothing." "learn: {half-life: 14d, warm-up: 7d}";
    NO_DESCRIPTION "LNT001" "no description" "Who gets the alert needs to know why it matters." "description: ...";
    NO_FALSEPOSITIVES "LNT002" "no false positives named" "Who gets the alert needs to know what ordinary thing looks like it; `Unknown` says nothing." "falsepositives: [A user on holiday]";
    NO_LEVEL "LNT003" "no level" "Without a level an alert is informational." "level: medium";
    NO_ID "LNT004" "no id" "Without an id, alerts of the rule cannot be followed over a change of its title." "id: 5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1d11";
    BAD_TAG "LNT005" "a tag that other tools do not know" "Tags are namespace.name in lower case; the namespaces are attack, car, cve, d3fend, detection, stp, tlp." "tags: [attack.t1110]";
    SAME_TITLE "LNT006" "two rules with one title" "People tell rules apart by their titles." "title: ...";
    NO_BLINDSPOTS "LNT007" "no blind spots named" "A baseline says what it cannot see." "blindspots: [An intruder behind the user's own NAT]";
    NO_TUNING "LNT008" "no tuning advice" "A baseline says which number to move, and what that costs." "tuning: ['surprise: 10 to 12 halves the alerts']";
    LONG_TITLE "LNT009" "a title that is too long" "Sigma allows 256 characters." "title: ...";
    NULL_IN_LIST "LNT010" "null within a list" "Sigma does not define it; here it means that the field may also be absent." "A: null";
    ALL_OF_ONE "LNT011" "all with a single value" "`all` of one value is that value." "A|contains: x";
    BARE_ENCODING "LNT012" "an encoding that is not compared as text is found" "utf16 only makes sense before base64, and base64offset gives the middle of a text, so it needs contains." "A|wide|base64offset|contains: x";
    UNUSED_SEARCH "LNT013" "a search that no condition uses" "It has no effect." "condition: selection and not filter";
    FILTER_SENSE "LNT014" "a filter that keeps what it lists" "A filter's condition is added with `and`: to leave out what it describes, it starts with `not`. The same goes for a search that is called `filter` and joined with `and`." "condition: not selection";
    MAYBE_TYPO "LNT015" "a key that resembles one that is known" "Sigma allows keys of one's own, so this one was ignored." "falsepositives: [...]";
    UPPER_CASE "LNT016" "a logsource in upper case" "Sigma's log sources are lower case; it was read as such." "product: linux";
    NEVER "LNT018" "a rule that can never fire" "Its condition needs a field that no log of its logsource has, or needs one that is never there to be absent. What is left of the rule without such fields is never true." "user.name: root";
    MATCHES_ALL "LNT019" "a value that anything meets" "An empty text or a lone `*` with contains, startswith or endswith, or `*` among other values, is met by whatever the field holds, so that the other values have no effect." "user.name|contains: adm";
    UNKNOWN_TECHNIQUE "LNT020" "a tag that ATT&CK does not have" "After `attack.` stands a tactic (`initial-access`), a technique (`t1110` or `t1110.001`), a group (`g0016`) or a piece of software (`s0002`)." "tags: [attack.credential-access, attack.t1110.001]";
    UNKNOWN_FIELD "LNT017" "a field that no event has" "Syslog lines have the fields of `tipstaff fields` and no others, and a field whose name is nearly one of them is mostly a slip. A rule that asks for a field that never comes never fires, without a word." "user.name: root";
    // Found when loaded rules are made ready for the logs that there are.
    "DET001" "too many rules" "A set has room for 65,535 rules that raise alerts or are counted." "tipstaff check rules/sigma";
    "DET002" "a member does not group by what is needed" "A correlation over correlations gets only what they group by, so each must group by its fields." "group-by: [source.ip]";
    "DET003" "rules build on each other in a circle" "What a rule finds cannot be counted before it is found." "rules: [ssh_login_failed]";
    "DET004" "rules with too many values" "The values of all rules are compared at once, in a table of limited size." "tipstaff check rules/sigma";
    "DET005" "rules name too many fields" "Beside the fields of `tipstaff fields`, a set can name a limited number of fields of its own." "tipstaff fields";
    "DET010" "an unknown type of baseline" "There is no model of that name." "type: first_seen";
    "DET011" "a baseline without its field" "What learns values must be told whose." "field: source.ip";
    "DET012" "a floor that is none" "`value:` holds the least number worth an alert, so it is a lower bound." "value: {gte: 5}";
    "DET013" "a baseline without a length of time" "Activity is counted in periods of this length." "timespan: 1h";
    "DET014" "a sequence of one" "The last of `rules:` is what the others come before, so it takes two." "rules: [ssh_login_failed, ssh_login_succeeded]";
    "DET020" "an unknown type of correlation" "There is no correlation of that name." "type: event_count";
    "DET021" "a correlation that cannot count" "Its time, its rules or its bounds do not fit its type." "timespan: 10m";
    "DET030" "an item that cannot be compared" "The modifiers and the value do not make a question that an event can answer." "source.ip|cidr: 192.0.2.0/24";
    "DET040" "a rule for logs that tipstaff does not read" "No format has this logsource, so no event will ever be asked. A slip in `service:` is the usual cause." "logsource: {product: linux, service: sshd}";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_explained() {
        for (at, entry) in CATALOGUE.iter().enumerate() {
            assert!(!entry.explanation.is_empty() && !entry.example.is_empty());
            let first = CATALOGUE.iter().position(|e| e.code == entry.code);
            assert_eq!(first, Some(at), "{}", entry.code);
        }
        assert_eq!(explain("sig008").unwrap().code, UNKNOWN_MODIFIER);
        assert!(explain("SIG999").is_none());
    }
}
