//! cron: commands that ran on schedule, and changes of the schedule.
//!
//! `(USER) WORD (TEXT)`: the user is an account, the text is the crontab's.

use super::token::{cut, say, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "cron",
    about: "cron: commands on schedule, crontabs listed and edited",
    programs: &["CRON", "CROND", "cron", "crond", "crontab", "anacron"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["cron", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 CRON[812]: (root) CMD (run-parts /etc/cron.hourly)",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some((user, rest)) = message.text.strip_prefix(b"(").and_then(|t| cut(t, b") ")) else {
        return Verdict::NotMine;
    };
    let Some((word, text)) = cut(rest, b" (") else {
        return Verdict::NotMine;
    };
    let Some(text) = text.strip_suffix(b")") else {
        return Verdict::Malformed("no bracket at the end");
    };
    let (action, outcome, category) = match word {
        b"CMD" => ("cron_command", "success", "process"),
        b"CMDEND" => ("cron_command_end", "unknown", "process"),
        b"LIST" => ("crontab_list", "success", "configuration"),
        b"BEGIN EDIT" | b"END EDIT" | b"REPLACE" | b"DELETE" => {
            ("crontab_edit", "success", "configuration")
        }
        b"RELOAD" => ("cron_reload", "success", "configuration"),
        b"CMDOUT" => ("cron_output", "unknown", "process"),
        b"AUTH" => ("crontab_refused", "failure", "configuration"),
        b"FAILED to authorize user with PAM"
        | b"PAM ERROR"
        | b"FAILED"
        | b"ORPHAN"
        | b"NOT_A_CRONTAB"
        | b"ERROR"
        | b"WRONG FILE OWNER"
        | b"INSECURE MODE (mode 0600 expected)"
        | b"BAD FILE MODE" => ("cron_refused", "failure", "configuration"),
        _ => return Verdict::NotMine,
    };
    say(event, action, outcome, category);
    event.text(Field::USER_NAME, user);
    match category {
        "process" => event.text(Field::PROCESS_COMMAND_LINE, trim_start(text)),
        _ => event.text(Field::EVENT_REASON, text),
    }
    Verdict::Event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    #[test]
    fn the_command_is_all_that_stands_in_the_brackets() {
        let mut event = Event::new();
        let message = Message {
            program: b"CRON",
            text: b"(root) CMD (  echo \") CMD (x\" )",
        };
        assert_eq!(parse(message, &mut event), Verdict::Event);
        assert_eq!(event.get(Field::USER_NAME), Some(Value::Text(b"root")));
        assert_eq!(
            event.get(Field::PROCESS_COMMAND_LINE),
            Some(Value::Text(b"echo \") CMD (x\" "))
        );
    }

    #[test]
    fn what_says_nothing_of_a_user_is_not_ours() {
        for text in [
            &b"(CRON) INFO (Running @reboot jobs)"[..],
            b"Job `a' started",
        ] {
            let mut event = Event::new();
            let message = Message {
                program: b"cron",
                text,
            };
            assert_eq!(parse(message, &mut event), Verdict::NotMine);
        }
    }
}
