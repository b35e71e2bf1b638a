//! What account tools say, and what they cannot be made to say.

use super::*;

#[test]
fn changes_say_what_to_whom_and_by_whom() {
    let fields = [
        Field::EVENT_ACTION,
        Field::USER_NAME,
        Field::USER_TARGET_NAME,
        Field::GROUP_NAME,
        Field::USER_ID,
        Field::GROUP_ID,
    ];
    for (text, expected) in [
        (
            "new user: name=alice, UID=1001, GID=1001, home=/home/alice, shell=/bin/bash, from=none",
            "user_added|alice|alice|-|1001|1001",
        ),
        (
            "new group: name=ops, GID=1002",
            "group_added|-|-|ops|-|1002",
        ),
        (
            "group added to /etc/gshadow: name=ops",
            "group_added|-|-|ops|-|-",
        ),
        (
            "add 'alice' to shadow group 'sudo'",
            "group_member_added|alice|alice|sudo|-|-",
        ),
        (
            "new account added - account=alice, uid=1001, gid=100, home=/home/alice, shell=/bin/bash, by=0",
            "user_added|alice|alice|-|1001|100",
        ),
        ("delete user 'alice'", "user_deleted|alice|alice|-|-|-"),
        (
            "removed group 'alice' owned by 'alice'",
            "group_deleted|alice|-|alice|-|-",
        ),
        (
            "group 'ops' removed from /etc/group",
            "group_deleted|-|-|ops|-|-",
        ),
        (
            "group changed in /etc/group (group ops/1002, new name: dev)",
            "group_changed|-|-|ops|-|1002",
        ),
        (
            "change user 'alice' UID from '1001' to '0'",
            "user_changed|alice|alice|-|0|-",
        ),
        (
            "change user 'alice' password",
            "password_changed|alice|alice|-|-|-",
        ),
        (
            "user alice added by root to group sudo",
            "group_member_added|root|alice|sudo|-|-",
        ),
        (
            "password for 'alice' changed by 'root'",
            "password_changed|root|alice|-|-|-",
        ),
    ] {
        assert_eq!(
            shape::shown(&FORMAT, "useradd", text, &fields),
            (Verdict::Event, expected.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn several_words_or_two_ids_are_malformed() {
    // Found by fuzzing: shadow writes ids in capitals or in small letters.
    let two = "new user: name=alice, uid=1001, UID=0, home=/root, shell=/bin/sh";
    let verdict = shape::shown(&FORMAT, "useradd", two, &[]).0;
    assert!(matches!(verdict, Verdict::Malformed(_)));
    let verdict = shape::shown(&FORMAT, "userdel", "delete user 'a b'", &[]).0;
    assert!(matches!(verdict, Verdict::Malformed(_)));
    let verdict = shape::shown(&FORMAT, "passwd", "user is not root", &[]).0;
    assert_eq!(verdict, Verdict::NotMine);
}
