//! What the README shows is what the program prints.

use std::process::Command;

#[test]
fn the_session_in_the_readme_is_real() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let block = readme.split("```text\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let mut lines = block.lines();
    let command = lines.next().unwrap().strip_prefix("$ tipstaff ").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .args(command.split(' '))
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut rest = printed.lines();
    for line in lines.filter(|line| line.trim() != "...") {
        assert!(
            rest.any(|real| real == line),
            "not printed, or not in this place: {line}"
        );
    }
}

#[test]
fn the_commands_in_the_readme_exist() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .arg("-h")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let mut seen = 0;
    for rest in readme.split("`tipstaff ").skip(1) {
        let name = rest.split([' ', '`']).next().unwrap();
        assert!(
            help.contains(&format!("\n  {name} ")),
            "there is no command {name}"
        );
        seen += 1;
    }
    assert!(seen > 8);
}
