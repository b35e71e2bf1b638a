//! Value lists for `expand`: where commands get them from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use crate::config::{self, ConfigError};

/// The lists that rules name as `%name%`, each from its file.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Named {
    /// Values for `%NAME%` in rules with `expand`, one per line of a file
    ///
    /// Can be given more than once; goes before a list of the same name in the
    /// configuration. Empty lines and lines that begin with `#` are left out.
    #[arg(long = "list", value_name = "NAME=FILE", value_parser = named)]
    named: Vec<(String, PathBuf)>,
}

/// The lists, for commands that need nothing else of a configuration.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Lists {
    #[command(flatten)]
    named: Named,

    /// Take the lists under `[lists]` of this configuration; nothing else of it is read
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// `admins=admins.txt`.
fn named(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.trim_matches('%').to_owned(), file.into()))
        }
        _ => Err("write it like admins=admins.txt".to_owned()),
    }
}

impl Named {
    /// Reads them, and those under `[lists]` of the configuration.
    pub(super) fn read(
        &self,
        config: Option<&Path>,
    ) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let failed = |error: ConfigError| Failure::plain(Exit::Config, &error);
        let mut lists = match config {
            Some(path) => config::lists_of(path).map_err(failed)?,
            None => BTreeMap::new(),
        };
        for (name, file) in &self.named {
            let values = config::List::File { file: file.clone() };
            let values = values.values(Path::new("")).map_err(failed)?;
            lists.insert(name.clone(), values);
        }
        Ok(lists)
    }
}

impl Lists {
    /// Reads them.
    pub(super) fn read(&self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        self.named.read(self.config.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_name_and_a_file() {
        let (name, file) = named("admins=/etc/x=y.txt").unwrap();
        assert_eq!((name.as_str(), file), ("admins", "/etc/x=y.txt".into()));
        assert_eq!(named("%admins%=a").unwrap().0, "admins");
        for wrong in ["admins", "=a", "admins="] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let toml = folder.path().join("t.toml");
        let text = "[lists]\nadmins = ['root']\nhosts = { file = 'hosts.txt' }\n";
        std::fs::write(&toml, text).unwrap();
        std::fs::write(folder.path().join("hosts.txt"), "# ours\n\nweb01\r\n").unwrap();
        let mine = folder.path().join("admins.txt");
        std::fs::write(&mine, "alice\nbob\n").unwrap();
        let lists = Lists {
            named: Named {
                named: vec![("admins".into(), mine)],
            },
            config: Some(toml),
        };
        let lists = lists.read().unwrap();
        assert_eq!(lists["admins"], ["alice", "bob"]);
        assert_eq!(lists["hosts"], ["web01"]);
    }
}
