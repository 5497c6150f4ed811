//! One style sheet out of style/*.css, and the pictures beside them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What the others build upon, in this order; the rest follows by name.
const FIRST: [&str; 2] = ["tokens.css", "base.css"];

/// All the sheets of a folder as one, without comments and spare blanks.
pub(crate) fn collect(folder: &Path) -> Result<String> {
    let mut sheet = String::new();
    for file in sheets(folder)? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        sheet.push_str(&minify(&text));
        sheet.push('\n');
    }
    Ok(sheet)
}

/// The drawings that pages show, such as the icon.
pub(crate) fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files(folder, "svg")?;
    files.sort();
    Ok(files)
}

fn sheets(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files(folder, "css")?;
    files.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rank = FIRST.iter().position(|first| *first == name);
        (rank.unwrap_or(FIRST.len()), name)
    });
    Ok(files)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Drops comments and folds blanks; goes no further than can be done without
/// parsing. Strings stay as they are.
fn minify(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css.chars().peekable();
    let mut blank = false;
    while let Some(next) = rest.next() {
        if next == '/' && rest.peek() == Some(&'*') {
            rest.next();
            let mut last = ' ';
            for inner in rest.by_ref() {
                if last == '*' && inner == '/' {
                    break;
                }
                last = inner;
            }
            blank = true;
        } else if next.is_whitespace() {
            blank = true;
        } else {
            let joins = |c: char| matches!(c, '{' | '}' | ';' | ',');
            if blank && !joins(next) && out.chars().next_back().is_some_and(|last| !joins(last)) {
                out.push(' ');
            }
            blank = false;
            out.push(next);
            if next == '"' || next == '\'' {
                let mut escaped = false;
                for inner in rest.by_ref() {
                    out.push(inner);
                    if inner == next && !escaped {
                        break;
                    }
                    escaped = inner == '\\' && !escaped;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn blanks_and_comments_go_meaning_stays() {
        for (css, expected) in [
            ("a {\n  color: red;\n}\n", "a{color: red;}"),
            ("a :hover , b{}", "a :hover,b{}"),
            ("/* x */ a{}/* y */", "a{}"),
            ("a/* x */b{}", "a b{}"),
            ("a{width:calc(1px + 2px)}", "a{width:calc(1px + 2px)}"),
            ("a{content:\" ; /* \\\" */ \"}", "a{content:\" ; /* \\\" */ \"}"),
            ("a{content:'\\\\'}  b{}", "a{content:'\\\\'}b{}"),
        ] {
            assert_eq!(minify(css), expected, "{css}");
        }
    }

    #[test]
    fn tokens_come_first_then_the_base_then_by_name() -> Result<()> {
        let folder = Scratch::new()?;
        for name in ["trade.css", "base.css", "auth.css", "tokens.css", "notes.md"] {
            fs::write(folder.path().join(name), format!(".{}{{}}", &name[..2]))?;
        }
        assert_eq!(collect(folder.path())?, ".to{}\n.ba{}\n.au{}\n.tr{}\n");
        Ok(())
    }

    #[test]
    fn no_folder_is_an_empty_sheet() -> Result<()> {
        assert_eq!(collect(Path::new("no-such-folder"))?, "");
        Ok(())
    }
}
