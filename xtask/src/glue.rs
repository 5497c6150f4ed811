//! Shortens what ties the module to its script: long names that both must
//! spell, and what wasm-bindgen writes for people to read.
//!
//! Does not know what the script does.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use walrus::Module;

/// Where the script says what the module imports.
const TABLE: &str = "__wbg_get_imports";

/// Gives everything that the module imports a short name; returns the script
/// that knows it by that name, without comments and indentation.
pub(crate) fn shorten(module: &mut Module, script: &str) -> Result<String> {
    let mut short = HashMap::new();
    let mut from = HashMap::new();
    let mut imports = 0;
    for (at, import) in module.imports.iter_mut().enumerate() {
        imports += 1;
        let name = std::mem::replace(&mut import.name, letters(at));
        short.insert(name, import.name.clone());
        let known = from.len();
        let place = from.entry(import.module.clone()).or_insert_with(|| letters(known));
        import.module.clone_from(place);
    }
    let mut lines = String::with_capacity(script.len());
    let mut renamed = 0;
    let (mut comment, mut table) = (false, false);
    for line in script.lines().map(str::trim) {
        comment = comment || line.starts_with("/*");
        if !comment && !line.is_empty() && !line.starts_with("//") {
            table = table || line.contains(TABLE);
            match line.split_once(": ").filter(|_| table) {
                Some((name, rest)) if short.contains_key(name) => {
                    lines.push_str(&short[name]);
                    lines.push(':');
                    lines.push_str(rest);
                    renamed += 1;
                }
                Some((name, rest)) if from.contains_key(name.trim_matches('"')) => {
                    lines.push_str(&from[name.trim_matches('"')]);
                    lines.push(':');
                    lines.push_str(rest);
                }
                _ => lines.push_str(line),
            }
            lines.push('\n');
        }
        comment = comment && !line.ends_with("*/");
    }
    ensure!(renamed == imports, "the script tells {renamed} of {imports} imports");
    Ok(lines)
}

/// `a` to `z`, then `aa` and so on.
fn letters(number: usize) -> String {
    let (more, last) = (number / 26, char::from(b'a' + (number % 26) as u8));
    let mut name = if more > 0 { letters(more - 1) } else { String::new() };
    name.push(last);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_and_module_agree_on_short_names() -> Result<()> {
        let mut module = Module::default();
        let kind = module.types.add(&[], &[]);
        for name in ["__wbg_now_1", "__wbg_body_2"] {
            module.add_import_func("./x_bg.js", name, kind);
        }
        let script = "\
/**
 * Said at length.
 */
function __wbg_get_imports() {
    const import0 = {
        // Each by its name.
        __wbg_body_2: function(arg0) {
            return arg0 ? \"__wbg_now_1: \" : null;
        },

        __wbg_now_1: () => 1,
    };
    return {
        __proto__: null,
        \"./x_bg.js\": import0,
    };
}
";
        let expected = "\
function __wbg_get_imports() {
const import0 = {
b:function(arg0) {
return arg0 ? \"__wbg_now_1: \" : null;
},
a:() => 1,
};
return {
__proto__: null,
a:import0,
};
}
";
        assert_eq!(shorten(&mut module, script)?, expected);
        let names: Vec<_> =
            module.imports.iter().map(|one| (one.module.as_str(), one.name.as_str())).collect();
        assert_eq!(names, [("a", "a"), ("a", "b")]);
        assert!(shorten(&mut module, "").is_err());
        Ok(())
    }

    #[test]
    fn no_two_numbers_share_letters() {
        let all: Vec<String> = (0..1_000).map(letters).collect();
        assert_eq!([&all[0], &all[25], &all[26], &all[27], &all[702]], ["a", "z", "aa", "ab", "aaa"]);
        let once: std::collections::HashSet<&String> = all.iter().collect();
        assert_eq!(once.len(), all.len());
    }
}
