//! The completions of `selbench`, in the shells themselves: each loads its script without a
//! complaint, and completes commands, options and values. A machine without a shell looks at the
//! script instead.

#![cfg(feature = "selbench")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Words that every script must know: commands, an option, a value of an option.
const WORDS: [&str; 4] = ["selftest", "capacity", "registered", "socketpair"];

/// The script for a shell, as text and as a file.
fn script(shell: &str) -> (String, PathBuf) {
    let output = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(["completions", shell])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{shell}");
    let text = String::from_utf8(output.stdout).unwrap();
    for word in WORDS {
        assert!(text.contains(word), "the script for {shell} lacks {word}");
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("completions");
    std::fs::create_dir_all(&folder).unwrap();
    // Where zsh looks for it, the name of the file is the name of the function.
    let file = folder.join(if shell == "zsh" {
        "_selbench".to_owned()
    } else {
        format!("selbench.{shell}")
    });
    std::fs::write(&file, &text).unwrap();
    (text, file)
}

/// Runs a program in a shell, if there is one; what it printed, one word a line.
fn ask(shell: &str, program: &str) -> Option<Vec<String>> {
    let path = ["/bin", "/usr/bin", "/usr/local/bin"]
        .map(|folder| Path::new(folder).join(shell))
        .into_iter()
        .find(|path| path.exists())?;
    // Nobody's own set-up, for it may say more or complete less.
    let plain: &[&str] = match shell {
        "bash" => &["--norc", "--noprofile"],
        "zsh" => &["-f"],
        _ => &["--no-config"],
    };
    let home = env!("CARGO_TARGET_TMPDIR");
    let output = Command::new(path)
        .args(plain)
        .args(["-c", program])
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_DATA_HOME", home)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.is_empty(), "{shell}: {complaint}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // fish tells what each word means after a tab.
    let word = |line: &str| {
        line.split('\t')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    Some(text.lines().map(word).collect())
}

/// Whether all of these are offered.
fn offers(shell: &str, offered: &[String], wanted: &[&str]) {
    for word in wanted {
        assert!(
            offered.iter().any(|one| one == word),
            "{shell} offers no {word}: {offered:?}"
        );
    }
}

#[test]
fn bash_completes() {
    let (text, file) = script("bash");
    let complete = |words: &[&str]| {
        let last = words.len() - 1;
        let program = format!(
            "source '{}'; COMP_WORDS=({}); COMP_CWORD={last}; _selbench selbench '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display(),
            words
                .iter()
                .map(|word| format!("'{word}' "))
                .collect::<String>(),
            words[last],
            words[last - 1]
        );
        ask("bash", &program)
    };
    let Some(commands) = complete(&["selbench", "ca"]) else {
        assert!(text.contains("complete -F _selbench"), "{text}");
        return;
    };
    offers("bash", &commands, &["capacity"]);
    let options = complete(&["selbench", "ring", "--reg"]).unwrap();
    offers("bash", &options, &["--registered"]);
    let values = complete(&["selbench", "ring", "--transport", ""]).unwrap();
    offers("bash", &values, &["pipe", "socketpair", "tcp"]);
}

#[test]
fn zsh_loads_the_script_and_finds_its_function() {
    let (text, file) = script("zsh");
    assert!(text.starts_with("#compdef selbench"), "how zsh finds it");
    assert!(text.contains("'capacity:"), "a command, with what it does");
    // Completing for real needs a terminal; here its last step only prints what it is given.
    let folder = file.parent().unwrap().display();
    let program = format!(
        "fpath=('{folder}' $fpath); autoload -Uz compinit; compinit -u -d '{folder}/dump'; \
         print -r -- $_comps[selbench]; zsh -n '{script}' && print -r -- parsed; \
         _describe() {{ print -rl -- ${{${{(P)4}}%%:*}} }}; source '{script}'; _selbench_commands",
        script = file.display()
    );
    let Some(told) = ask("zsh", &program) else {
        assert!(text.contains("_selbench \"$@\""), "{text}");
        return;
    };
    assert_eq!(told[..2], ["_selbench", "parsed"], "{told:?}");
    offers("zsh", &told[2..], &["selftest", "capacity", "report"]);
}

/// Commands, options and their values; the scripts that are made for fish leave out the values of
/// arguments, such as the presets of `matrix`.
#[test]
fn fish_completes() {
    let (text, file) = script("fish");
    let complete = |line: &str| {
        let program = format!("source '{}'; complete -C '{line}'", file.display());
        ask("fish", &program)
    };
    let Some(commands) = complete("selbench ca") else {
        assert!(text.contains("complete -c selbench"), "{text}");
        return;
    };
    offers("fish", &commands, &["capacity"]);
    offers(
        "fish",
        &complete("selbench ring --reg").unwrap(),
        &["--registered"],
    );
    let values = complete("selbench ring --transport ").unwrap();
    offers("fish", &values, &["pipe", "socketpair", "tcp"]);
}
