//! The tools that change accounts and groups: shadow's useradd and its kin,
//! in their own words (those of other packages' `pam_unix` are PAM's).
//!
//! Only root runs most of them, and names are checked before they are logged;
//! comments, folders and shells stand at the end.

#[cfg(test)]
mod tests;

use super::shape::Shape::Read;
use super::shape::{self, ANOTHER, Shape, unquoted, value_of, word};
use super::template::Table;
use super::token::{cut, cut_last, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "accounts",
    about: "useradd, usermod, userdel, groupadd, gpasswd, passwd, chage and their like: user_added, group_member_added, password_changed, ...",
    programs: &[
        "useradd",
        "usermod",
        "userdel",
        "groupadd",
        "groupmod",
        "groupdel",
        "groupmems",
        "gpasswd",
        "chage",
        "passwd",
        "chpasswd",
        "chgpasswd",
        "chfn",
        "chsh",
        "newusers",
        "pwck",
        "grpck",
        "vipw",
        "pw",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["accounts", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 useradd[812]: new user: name=alice, UID=1001, GID=1001, home=/home/alice, shell=/bin/bash, from=/dev/pts/0",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"new user: ", Read(new_user)),
    (b"new group: ", Read(new_group)),
    (b"group added to /etc/", Read(group_added_to)),
    (b"new account added - ", Read(suse_added)),
    (b"new group added - ", Read(suse_group_added)),
    (b"account deleted - ", Read(suse_deleted)),
    (b"account added to group - ", Read(suse_member)),
    (b"account removed from group - ", Read(suse_not_member)),
    (b"password changed - ", Read(suse_password)),
    (b"shell changed - ", Read(suse_changed)),
    (b"home directory changed - ", Read(suse_changed)),
    (b"failed adding user ", Read(failed_adding)),
    (b"failed adding group ", Read(failed_adding_group)),
    (b"add ", Read(add_to_group)),
    (b"delete user ", Read(delete_user)),
    (b"delete ", Read(delete_from_group)),
    (b"remove group ", Read(group_removed)),
    (b"removed group ", Read(group_removed)),
    (b"removed shadow group ", Read(group_removed)),
    (b"group ", Read(group_changed)),
    (b"change user name ", Read(renamed)),
    (b"change user ", Read(change_user)),
    (b"changed user ", Read(changed_user)),
    (b"lock user ", Read(locked)),
    (b"unlock user ", Read(unlocked)),
    (b"user ", Read(member)),
    (b"members of group ", Read(members)),
    (b"administrators of group ", Read(members)),
    (b"set members of ", Read(members_of)),
    (b"password of group ", Read(group_password)),
    (b"password for ", Read(password_by)),
    (b"password changed for ", Read(password_changed)),
    (b"changed password expiry for ", Read(expiry)),
    (
        b"can't view or modify password information for ",
        Read(no_right),
    ),
];

const CHANGED: [&str; 3] = ["password_changed", "success", "iam"];
const ADDED: [&str; 3] = ["user_added", "success", "iam"];
const REMOVED: [&str; 3] = ["user_deleted", "success", "iam"];

/// The BSDs' pw, and wordings without quotes.
static PHRASES: Table = Table::new(&[
    (
        CHANGED,
        &[
            "password for user {user} changed",
            "Password for {user} was changed",
            "password for '{user}' changed",
        ],
    ),
    (ADDED, &["{login}({n}):{login}({n}):{*}"]),
    (REMOVED, &["{login}({n}) account removed"]),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    match shape::read(SHAPES, message.text, event) {
        Verdict::NotMine => PHRASES.read(message.text, event),
        verdict => verdict,
    }
}

/// An account's or a group's name.
fn account(text: &[u8]) -> Result<&[u8], &'static str> {
    word(unquoted(text)).ok_or("not an account's name")
}

/// Says what was done to an account; where the line does not tell who did it,
/// the account stands in both places, as peers' tables have it.
fn of_user<'a>(
    event: &mut Event<'a>,
    action: &'static str,
    user: &'a [u8],
) -> Result<(), &'static str> {
    let user = account(user)?;
    say(event, action, "success", "iam");
    event.text(Field::USER_NAME, user);
    event.text(Field::USER_TARGET_NAME, user);
    Ok(())
}

/// `name=alice, UID=1001, GID=1001, home=…, shell=…[, from=…]`.
fn new_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let name = value_of(text, b"name=").ok_or("no single name=")?;
    of_user(event, "user_added", name)?;
    for (key, field) in [
        // Before shadow 4.1 in small letters.
        (&b"UID="[..], Field::USER_ID),
        (b"uid=", Field::USER_ID),
        (b"GID=", Field::GROUP_ID),
        (b"gid=", Field::GROUP_ID),
        (b"home=", Field::USER_HOME),
        (b"shell=", Field::USER_SHELL),
        (b"from=", Field::PROCESS_TTY),
    ] {
        if let Some(value) = value_of(text, key).filter(|value| !value.is_empty()) {
            event.text(field, value);
        }
    }
    Ok(())
}

fn new_group<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let name = value_of(text, b"name=").ok_or("no single name=")?;
    say(event, "group_added", "success", "iam");
    event.text(Field::GROUP_NAME, account(name)?);
    if let Some(id) = value_of(text, b"GID=").or_else(|| value_of(text, b"gid=")) {
        event.text(Field::GROUP_ID, id);
    }
    Ok(())
}

/// SUSE's `account=alice, uid=1001, gid=100, home=…, shell=…, by=0`, where
/// `by` is the numeric id of who did it.
fn suse<'a>(
    text: &'a [u8],
    action: &'static str,
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    say(event, action, "success", "iam");
    for (key, field) in [
        (&b"account="[..], Field::USER_NAME),
        (b"account=", Field::USER_TARGET_NAME),
        (b"group=", Field::GROUP_NAME),
        (b"uid=", Field::USER_ID),
        (b"gid=", Field::GROUP_ID),
        (b"home=", Field::USER_HOME),
        (b"shell=", Field::USER_SHELL),
    ] {
        if let Some(value) = value_of(text, key).filter(|value| !value.is_empty()) {
            event.text(field, value);
        }
    }
    let named = event.get(Field::USER_NAME).or(event.get(Field::GROUP_NAME));
    named.map(|_| ()).ok_or("neither account nor group")
}

fn suse_added<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "user_added", event)
}

fn suse_deleted<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "user_deleted", event)
}

fn suse_group_added<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "group_added", event)
}

fn suse_member<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "group_member_added", event)
}

fn suse_not_member<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "group_member_removed", event)
}

fn suse_password<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "password_changed", event)
}

fn suse_changed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    suse(text, "user_changed", event)
}

/// `group: name=G, GID=N`, `gshadow: name=G`.
fn group_added_to<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, rest) = cut(text, b": ").ok_or("no file")?;
    new_group(rest, event)
}

/// `'U', exit code: 9`, `'U', data deleted`.
fn failed_adding<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, reason) = cut(text, b", ").unwrap_or((text, &[]));
    let user = account(user)?;
    say(event, "user_added", "failure", "iam");
    event.text(Field::USER_NAME, user);
    event.text(Field::USER_TARGET_NAME, user);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

fn failed_adding_group<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (group, reason) = cut(text, b", ").unwrap_or((text, &[]));
    say(event, "group_added", "failure", "iam");
    event.text(Field::GROUP_NAME, account(group)?);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

/// `'U' to [shadow ]group 'G'`.
fn add_to_group<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, group) = cut(text, b" to group ")
        .or_else(|| cut(text, b" to shadow group "))
        .ok_or(ANOTHER)?;
    of_user(event, "group_member_added", user)?;
    event.text(Field::GROUP_NAME, account(group)?);
    Ok(())
}

fn delete_from_group<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, group) = cut(text, b" from group ")
        .or_else(|| cut(text, b" from shadow group "))
        .ok_or(ANOTHER)?;
    of_user(event, "group_member_removed", user)?;
    event.text(Field::GROUP_NAME, account(group)?);
    Ok(())
}

fn delete_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    of_user(event, "user_deleted", text)
}

/// `'G'[ owned by 'U']`.
fn group_removed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (group, owner) = cut(text, b" owned by ").unwrap_or((text, &[]));
    let group = group.strip_suffix(b" from /etc/group").unwrap_or(group);
    say(event, "group_deleted", "success", "iam");
    event.text(Field::GROUP_NAME, account(group)?);
    if !owner.is_empty() {
        event.text(Field::USER_NAME, account(owner)?);
    }
    Ok(())
}

/// `'G' removed[ from /etc/group]`, `changed in /etc/group (group G/1001, new name: H)`.
fn group_changed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if let Some((group, _)) = cut(text, b" removed") {
        say(event, "group_deleted", "success", "iam");
        event.text(Field::GROUP_NAME, account(group)?);
        return Ok(());
    }
    let (_, rest) = text
        .strip_prefix(b"changed in ")
        .and_then(|rest| cut(rest, b" (group "))
        .ok_or(ANOTHER)?;
    let end = memchr::memchr3(b'/', b',', b')', rest).ok_or("no end")?;
    let (group, rest) = rest.split_at_checked(end).ok_or("no end")?;
    say(event, "group_changed", "success", "iam");
    event.text(Field::GROUP_NAME, account(group)?);
    if let Some((id, _)) = rest.strip_prefix(b"/").and_then(|rest| {
        let end = memchr::memchr2(b',', b')', rest)?;
        rest.split_at_checked(end)
    }) {
        event.text(Field::GROUP_ID, id);
    }
    Ok(())
}

/// `'OLD' to 'NEW'`.
fn renamed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (old, new) = cut(text, b" to ").ok_or("no new name")?;
    of_user(event, "user_changed", old)?;
    event.text(Field::EVENT_REASON, b"name");
    event.text(Field::USER_CHANGES_NAME, account(new)?);
    Ok(())
}

/// `'U' password`, `'U' shell from '/bin/sh' to '/bin/zsh'`, `'U' UID from '1' to '0'`.
fn change_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, what) = cut(text, b" ").ok_or("nothing that was changed")?;
    let action = if what == b"password" {
        "password_changed"
    } else {
        "user_changed"
    };
    of_user(event, action, user)?;
    event.text(Field::EVENT_REASON, what);
    let new = cut_last(what, b" to ").map(|(_, new)| unquoted(new));
    match (what, new) {
        ([b'U', b'I', b'D', b' ', ..], Some(id)) => event.text(Field::USER_ID, id),
        ([b'G', b'I', b'D', b' ', ..], Some(id)) => event.text(Field::GROUP_ID, id),
        ([b's', b'h', b'e', b'l', b'l', ..], Some(shell)) => event.text(Field::USER_SHELL, shell),
        ([b'h', b'o', b'm', b'e', ..], Some(home)) => event.text(Field::USER_HOME, home),
        _ => {}
    }
    Ok(())
}

/// chfn `'U' information`, chsh `'U' shell to '/bin/zsh'`.
fn changed_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, what) = cut(text, b" ").ok_or("nothing that was changed")?;
    of_user(event, "user_changed", user)?;
    event.text(Field::EVENT_REASON, what);
    if let Some(shell) = what.strip_prefix(b"shell to ") {
        event.text(Field::USER_SHELL, unquoted(shell));
    }
    Ok(())
}

fn locked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let user = text.strip_suffix(b" password").ok_or("not a password")?;
    of_user(event, "password_locked", user)
}

fn unlocked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let user = text.strip_suffix(b" password").ok_or("not a password")?;
    of_user(event, "password_unlocked", user)
}

/// gpasswd: `U added by W to group G`, `U removed by W from group G`.
fn member<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (action, (user, rest), between) = if let Some(found) = cut(text, b" added by ") {
        ("group_member_added", found, &b" to group "[..])
    } else if let Some(found) = cut(text, b" removed by ") {
        ("group_member_removed", found, &b" from group "[..])
    } else {
        return Err(ANOTHER);
    };
    let (by, group) = cut(rest, between).ok_or("no group")?;
    say(event, action, "success", "iam");
    event.text(Field::USER_NAME, account(by)?);
    event.text(Field::USER_TARGET_NAME, account(user)?);
    event.text(Field::GROUP_NAME, account(group)?);
    Ok(())
}

/// gpasswd: `G set by W to a,b`.
fn members<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (group, rest) = cut(text, b" set by ").ok_or("nobody who set them")?;
    let (by, names) = cut(rest, b" to ").ok_or("no names")?;
    say(event, "group_member_added", "success", "iam");
    event.text(Field::USER_NAME, account(by)?);
    event.text(Field::GROUP_NAME, account(group)?);
    event.text(Field::USER_TARGET_NAME, names);
    Ok(())
}

/// gpasswd of shadow before 4.1: `G to a,b`.
fn members_of<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (group, names) = cut(text, b" to ").ok_or("no names")?;
    say(event, "group_member_added", "success", "iam");
    event.text(Field::GROUP_NAME, account(group)?);
    event.text(Field::USER_TARGET_NAME, names);
    Ok(())
}

/// gpasswd: `G changed by W`, `G removed by W`.
fn group_password<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (group, by) = cut(text, b" changed by ")
        .or_else(|| cut(text, b" removed by "))
        .ok_or("neither changed nor removed")?;
    say(event, "group_changed", "success", "iam");
    event.text(Field::USER_NAME, account(by)?);
    event.text(Field::GROUP_NAME, account(group)?);
    event.text(Field::EVENT_REASON, b"password");
    Ok(())
}

/// passwd: `'U' changed by 'W'`.
fn password_by<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, by) = cut(text, b" changed by ").ok_or(ANOTHER)?;
    say(event, "password_changed", "success", "iam");
    event.text(Field::USER_NAME, account(by)?);
    event.text(Field::USER_TARGET_NAME, account(user)?);
    Ok(())
}

fn password_changed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    of_user(event, "password_changed", text)
}

fn expiry<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    of_user(event, "user_changed", text)?;
    event.text(Field::EVENT_REASON, b"password expiry");
    Ok(())
}

fn no_right<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "password_changed", "failure", "iam");
    event.text(Field::USER_TARGET_NAME, account(text)?);
    Ok(())
}
