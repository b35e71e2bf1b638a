//! `[lists]`: what `%name%` stands for in rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;

/// A list of values under `[lists]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a list is `[\"value\", ...]` or `{ file = \"PATH\" }`"
)]
pub enum List {
    /// The values.
    Values(Vec<String>),
    /// A file with one value per line.
    File {
        /// Its path; from the configuration's folder if it is relative.
        file: PathBuf,
    },
}

impl List {
    /// Largest file of values: rules take 10,000 values at most.
    const FILE_MAX: u64 = 1 << 20;

    /// The values; files are looked for in `folder`. Empty lines and comments
    /// (`#`) of files are left out.
    pub fn values(&self, folder: &Path) -> Result<Vec<String>, ConfigError> {
        let file = match self {
            List::Values(values) => return Ok(values.clone()),
            List::File { file } => folder.join(file),
        };
        let path = file.display().to_string();
        let size = fs::metadata(&file).map_or(0, |meta| meta.len());
        if size > Self::FILE_MAX {
            let what = "a list of values is at most 1 MiB; split it".to_owned();
            return Err(ConfigError::Senseless { path, what });
        }
        let text =
            fs::read_to_string(&file).map_err(|error| ConfigError::NoList { path, error })?;
        let lines = text.lines().map(str::trim);
        let values = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(values.map(str::to_owned).collect())
    }
}

/// Reads all lists, those in files from the configuration's folder.
pub(super) fn read(
    lists: &BTreeMap<String, List>,
    path: &Path,
) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    lists
        .iter()
        .map(|(name, list)| Ok((name.clone(), list.values(folder)?)))
        .collect()
}

/// Their files.
pub(super) fn files(lists: &BTreeMap<String, List>, path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let file = |list: &List| match list {
        List::Values(_) => None,
        List::File { file } => Some(folder.join(file)),
    };
    lists.values().filter_map(file).collect()
}

/// Only the `[lists]` of a configuration, for commands that need no more.
pub fn lists_of(path: &Path) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
    #[derive(Deserialize)]
    struct Only {
        #[serde(default)]
        lists: BTreeMap<String, List>,
    }
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: shown.clone(),
        error,
    })?;
    let only: Only = toml::from_str(&text).map_err(|error| ConfigError::Invalid {
        path: shown,
        error: Box::new(error),
    })?;
    read(&only.lists, path)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn lists_are_values_or_a_file_of_values() {
        let head = "[input]\npaths = ['a']\n[lists]\n";
        let config = Config::parse(&format!("{head}admins = ['root', 'eve']"), "t").unwrap();
        let lists = config.lists(Path::new("t")).unwrap();
        assert_eq!(lists["admins"], ["root", "eve"]);
        let config = Config::parse(&format!("{head}x = {{ file = 'gone.txt' }}"), "t").unwrap();
        let error = config.lists(Path::new("/nowhere/t")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/gone.txt"), "{error}");
        let error = Config::parse(&format!("{head}x = 5"), "t").unwrap_err();
        assert!(error.to_string().contains("file = "), "{error}");
    }
}
