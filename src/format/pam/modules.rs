//! The words of single modules: locks, requirements, directories, second
//! factors. The user's name lies between fixed words, or is the last one.

use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::Verdict;
use crate::format::shape::Shape::{Read, Takes};
use crate::format::shape::{self, ANOTHER, Shape, set_user, unquoted};
use crate::format::token::{Host, cut, cut_last, ip, last_word, say, trim_end};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"requirement ", Read(requirement)),
    (b"check pass; user unknown", Takes(unknown)),
    (b"account ", Read(expired)),
    (b"expired password for user ", Read(expired_password)),
    (b"auth could not identify password for [", Read(no_password)),
    (b"bad username [", Read(bad_name)),
    (b"could not identify user (from getpwnam(", Read(no_account)),
    (b"Consecutive login failures for user ", Takes(faillock)),
    (b"user ", Read(user)),
    (b"Tally overflowed for user ", Takes(overflowed)),
    (b"received for user ", Read(sssd)),
    (b"Access denied for user ", Read(denied)),
    (b"access denied for user ", Read(access)),
    (b"Access denied to ", Read(wheel)),
    (b"Refused user ", Read(listed)),
    (b"Too many logins (max ", Read(too_many)),
    (b"Invalid verification code for ", Takes(wrong_code)),
    (b"Invalid verification code", Takes(wrong_code_bare)),
    (b"Accepted google_authenticator for ", Takes(right_code)),
    (b"Failed to read \"", Read(no_secret)),
    (b"authentication succeeds for '", Read(kerberos_success)),
    (b"authentication fails for '", Read(kerberos_failure)),
    (b"authentication failure; ", Read(other_details)),
    (b"Authentication failure; user=", Takes(ldap)),
    (b"error trying to bind as user \"", Read(bind)),
    (b"request failed: ", Takes(winbind)),
    (b"request wbcLogonUser failed: ", Takes(winbind)),
    (b"Blocking access from ", Read(abl)),
    (b"Successful Duo login for '", Read(duo_success)),
    (b"Failed Duo login for '", Read(duo_failure)),
];

pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    shape::read(SHAPES, text, event)
}

/// A login that was refused, by whom and why.
fn refuse<'a>(event: &mut Event<'a>, action: &'static str, user: &'a [u8], reason: &'a [u8]) {
    say(event, action, "failure", "authentication");
    if !reason.is_empty() {
        event.text(Field::EVENT_REASON, trim_end(reason));
    }
    set_user(trim_end(user), event);
}

/// `pam_succeed_if`: `"uid >= 1000" not met by user "root"`.
fn requirement<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (reason, user) = cut_last(text, b" not met by user ").ok_or(ANOTHER)?;
    let user = user
        .strip_prefix(b"\"")
        .and_then(|user| user.strip_suffix(b"\""));
    refuse(
        event,
        "pam_authentication",
        user.ok_or("no user in quotes")?,
        reason,
    );
    Ok(())
}

fn unknown<'a>(_: &'a [u8], event: &mut Event<'a>) {
    refuse(event, "pam_authentication", b"", b"user unknown");
}

/// `alice has expired (account expired)`.
fn expired<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, reason) = cut_last(text, b" has ").ok_or(ANOTHER)?;
    if !reason.starts_with(b"expired") {
        return Err(ANOTHER);
    }
    refuse(event, "pam_account_expired", user, reason);
    Ok(())
}

/// `alice (root enforced)`, `alice (password aged)`.
fn expired_password<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, reason) = cut_last(text, b" (").ok_or("no reason")?;
    let reason = reason.strip_suffix(b")").ok_or("no end of the reason")?;
    refuse(event, "pam_password_expired", user, reason);
    Ok(())
}

fn no_password<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let user = text.strip_suffix(b"]").ok_or("no end of the user")?;
    refuse(
        event,
        "pam_no_password",
        user,
        b"could not identify password",
    );
    Ok(())
}

fn bad_name<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let user = text.strip_suffix(b"]").ok_or("no end of the user")?;
    refuse(event, "pam_authentication", user, b"bad username");
    Ok(())
}

fn no_account<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let user = text.strip_suffix(b"))").ok_or("no end of the user")?;
    refuse(event, "pam_account", user, b"user unknown");
    Ok(())
}

fn faillock<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let user = text
        .strip_suffix(b" account temporarily locked")
        .unwrap_or(text);
    refuse(
        event,
        "pam_account_locked",
        user,
        b"consecutive login failures",
    );
}

/// `pam_tally2`'s `alice (1001) tally 6, deny 5`; `pam_winbind`'s `'alice' granted access`;
/// `pam_krb5`'s `alice authenticated as alice@EXAMPLE.ORG`.
fn user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if let Some((head, reason)) = cut_last(text, b" tally ") {
        let (user, uid) = head
            .strip_suffix(b")")
            .and_then(|head| cut_last(head, b" ("))
            .ok_or("no numeric id")?;
        refuse(event, "pam_account_locked", user, reason);
        event.text(Field::USER_ID, uid);
        return Ok(());
    }
    if let Some((user, realm)) = cut_last(text, b" authenticated as ") {
        say(event, "pam_authentication", "success", "authentication");
        set_user(user, event);
        if let Some((_, realm)) = cut_last(realm, b"@") {
            event.text(Field::USER_DOMAIN, realm);
        }
        return Ok(());
    }
    if let Some(user) = text.strip_suffix(b"' granted access") {
        say(event, "pam_authentication", "success", "authentication");
        return of_domain(user, event);
    }
    if let Some((user, reason)) = cut_last(text, b"' denied access") {
        say(event, "pam_authentication", "failure", "authentication");
        let reason = reason
            .strip_prefix(b" (")
            .and_then(|reason| reason.strip_suffix(b")"));
        if let Some(reason) = reason {
            event.text(Field::EVENT_REASON, reason);
        }
        return of_domain(user, event);
    }
    Err(ANOTHER)
}

/// `'alice`, `` `EXAMPLE\alice ``: the opening quote is still there.
fn of_domain<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let [b'\'' | b'`', name @ ..] = text else {
        return Err("no user in quotes");
    };
    match cut(name, b"\\") {
        Some((domain, name)) => {
            event.text(Field::USER_DOMAIN, domain);
            set_user(name, event);
        }
        None => set_user(name, event),
    }
    Ok(())
}

fn overflowed<'a>(user: &'a [u8], event: &mut Event<'a>) {
    refuse(event, "pam_account_locked", user, b"tally overflowed");
}

/// `pam_sss`: `alice: 7 (Authentication failure)`, after the line that tells
/// the same with the address: so it has a name of its own.
fn sssd<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, reason) = cut_last(text, b": ").ok_or("no reason")?;
    refuse(event, "pam_backend", user, reason);
    Ok(())
}

/// `alice: 6 (Permission denied)`.
fn denied<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, reason) = cut_last(text, b": ").ok_or("no reason")?;
    refuse(event, "pam_account", user, reason);
    Ok(())
}

/// `pam_access`: `'alice' from 'HOST'`, or with `` ` ``; a host's name holds no quotes.
fn access<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, host) = cut_last(text, b" from ").ok_or("no from")?;
    refuse(event, "pam_account", unquoted(user), b"access denied");
    let host = unquoted(host);
    if let Some(tty) = host.strip_prefix(b"/dev/") {
        event.text(Field::PROCESS_TTY, tty);
    } else if host.starts_with(b"tty") || host.starts_with(b"cron") || host.starts_with(b"pts/") {
        event.text(Field::PROCESS_TTY, host);
    } else {
        Host::read(host)
            .ok_or("neither host nor terminal")?
            .set(event);
    }
    Ok(())
}

/// `pam_wheel`: `'alice' for 'root'`.
fn wheel<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, target) = cut_last(text, b"' for ").ok_or("no target")?;
    let user = user.strip_prefix(b"'").ok_or("no user in quotes")?;
    refuse(event, "pam_authentication", user, b"not in the wheel group");
    event.text(Field::USER_EFFECTIVE_NAME, unquoted(target));
    Ok(())
}

/// `pam_listfile`: `alice for service vsftpd`.
fn listed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, _) = cut_last(text, b" for service ").ok_or("no service")?;
    refuse(event, "pam_authentication", user, b"refused by a list");
    Ok(())
}

/// `pam_limits`: `2) for alice`.
fn too_many<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, user) = cut(text, b") for ").ok_or("no user")?;
    refuse(event, "pam_session", user, b"too many logins");
    Ok(())
}

fn wrong_code<'a>(user: &'a [u8], event: &mut Event<'a>) {
    refuse(
        event,
        "pam_second_factor",
        user,
        b"invalid verification code",
    );
}

fn wrong_code_bare<'a>(_: &'a [u8], event: &mut Event<'a>) {
    refuse(
        event,
        "pam_second_factor",
        b"",
        b"invalid verification code",
    );
}

fn right_code<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "pam_second_factor", "success", "authentication");
    set_user(user, event);
}

/// `PATH" for "alice"`.
fn no_secret<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let user = text
        .strip_suffix(b"\"")
        .and_then(|text| cut_last(text, b"\" for \""))
        .ok_or(ANOTHER)?
        .1;
    refuse(event, "pam_second_factor", user, b"no secret");
    Ok(())
}

/// `alice' (alice@EXAMPLE.ORG)`.
fn kerberos_success<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, principal) = text
        .strip_suffix(b")")
        .and_then(|text| cut_last(text, b"' ("))
        .ok_or("no principal")?;
    say(event, "pam_authentication", "success", "authentication");
    set_user(user, event);
    if let Some((_, realm)) = cut_last(principal, b"@") {
        event.text(Field::USER_DOMAIN, realm);
    }
    Ok(())
}

/// `alice' (alice@EXAMPLE.ORG): Authentication failure (…)`.
fn kerberos_failure<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (head, reason) = cut_last(text, b"): ").ok_or("no reason")?;
    let (user, principal) = cut_last(head, b"' (").ok_or("no principal")?;
    refuse(event, "pam_authentication", user, reason);
    if let Some((_, realm)) = cut_last(principal, b"@") {
        event.text(Field::USER_DOMAIN, realm);
    }
    Ok(())
}

/// Other modules' `user=alice`, and `PAM_unix`'s `alice(uid=1000) -> root for su service`.
fn other_details<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if let Some((from, rest)) = cut(text, b"(uid=")
        && let Some((uid, rest)) = cut(rest, b") -> ")
    {
        let (user, _) = cut_last(rest, b" for ").ok_or("no service")?;
        refuse(event, "pam_authentication", user, b"");
        event.text(Field::USER_ID, uid);
        if !from.is_empty() {
            event.text(Field::SESSION_OPENED_BY, from);
        }
        return Ok(());
    }
    let user = text.strip_prefix(b"user=").ok_or("no logname=")?;
    refuse(event, "pam_authentication", user, b"");
    Ok(())
}

fn ldap<'a>(user: &'a [u8], event: &mut Event<'a>) {
    refuse(event, "pam_authentication", user, b"");
}

/// `uid=alice,ou=People,dc=example,dc=org" (Invalid credentials)`.
fn bind<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (name, reason) = text
        .strip_suffix(b")")
        .and_then(|text| cut_last(text, b"\" ("))
        .ok_or("no reason")?;
    let first = cut(name, b",").map_or(name, |(first, _)| first);
    let user = cut(first, b"=").map_or(first, |(_, user)| user);
    refuse(event, "pam_authentication", user, reason);
    Ok(())
}

fn winbind<'a>(reason: &'a [u8], event: &mut Event<'a>) {
    refuse(event, "pam_backend", b"", reason);
}

/// `pam_abl`: `A to service sshd, user root`.
fn abl<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (host, rest) = cut(text, b" to service ").ok_or("no service")?;
    let (_, user) = cut(rest, b", user ").ok_or("no user")?;
    refuse(event, "pam_host_blocked", user, b"blocked");
    Host::read(host)
        .ok_or("neither address nor host name")?
        .set(event);
    Ok(())
}

/// `alice' from A`.
fn duo<'a>(
    text: &'a [u8],
    outcome: &'static str,
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    say(event, "pam_second_factor", outcome, "authentication");
    let (head, address) = last_word(text);
    let Some(user) = head.strip_suffix(b"' from") else {
        // With a reason after it: the words of the module that say why.
        set_user(text.strip_suffix(b"'").ok_or(ANOTHER)?, event);
        return Ok(());
    };
    set_user(user, event);
    let ip = ip(address).ok_or("not an address")?;
    event.set(Field::SOURCE_IP, Value::Ip(ip));
    Ok(())
}

fn duo_success<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    duo(text, "success", event)
}

fn duo_failure<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    duo(text, "failure", event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::pam::FORMAT;

    #[test]
    fn every_module_says_who_and_why() {
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::EVENT_REASON,
        ];
        for (text, expected) in [
            (
                "pam_sss(sshd:auth): received for user alice: 7 (Authentication failure)",
                "pam_backend|failure|alice|-|7 (Authentication failure)",
            ),
            (
                "pam_krb5[812]: authentication fails for 'alice' (alice@EXAMPLE.ORG): Authentication failure (Preauthentication failed)",
                "pam_authentication|failure|alice|-|Authentication failure (Preauthentication failed)",
            ),
            (
                "pam_ldap: error trying to bind as user \"uid=alice,ou=People,dc=example,dc=org\" (Invalid credentials)",
                "pam_authentication|failure|alice|-|Invalid credentials",
            ),
            (
                "pam_winbind(sshd:auth): user 'EXAMPLE\\alice' granted access",
                "pam_authentication|success|alice|-|-",
            ),
            (
                "pam_google_authenticator(sshd:auth): Invalid verification code for alice",
                "pam_second_factor|failure|alice|-|invalid verification code",
            ),
            (
                "pam_faillock(sshd:auth): Consecutive login failures for user alice account temporarily locked",
                "pam_account_locked|failure|alice|-|consecutive login failures",
            ),
            (
                "pam_access(sshd:account): access denied for user `x' from `198.51.100.1' from `192.0.2.7'",
                "pam_account|failure|x' from `198.51.100.1|192.0.2.7|access denied",
            ),
            (
                "pam_abl(sshd:auth): Blocking access from 192.0.2.7 to service sshd, user root",
                "pam_host_blocked|failure|root|192.0.2.7|blocked",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "sshd", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }
}
