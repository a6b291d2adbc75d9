//! Starts slices as processes of their own.

use std::path::Path;
use std::process::{Command, Stdio};

use fastrand::Rng;

use super::{Program, Slice, Spec};

/// Measures a slice in a fresh process, whose environment has a random size: where the stack
/// begins must not favour one subject.
pub fn measure(spec: &Spec) -> Result<Slice, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    measure_with(&program, spec)
}

/// The same with another program in place of a subject: a `selbench` measures its subject of the
/// name `own`, a server is measured. The row has the name that `spec` gives it.
pub fn measure_program(spec: &Spec, program: &Program, own: &str) -> Result<Slice, String> {
    let mut inner = spec.clone();
    let mut slice = match program {
        Program::Selbench(path) => {
            own.clone_into(&mut inner.subject);
            measure_with(path, &inner)?
        }
        Program::Server(path) => {
            inner.server_program = Some(path.to_string_lossy().into_owned());
            measure(&inner)?
        }
    };
    slice.spec.subject.clone_from(&spec.subject);
    // An older program does not know of it.
    slice.spec.baseline.clone_from(&spec.baseline);
    Ok(slice)
}

fn measure_with(program: &Path, spec: &Spec) -> Result<Slice, String> {
    let text = serde_json::to_string(spec).map_err(|error| error.to_string())?;
    let padding = Rng::with_seed(spec.seed ^ (spec.block as u64 + 1) << 32).usize(..4096);
    let output = Command::new(program)
        .args(["slice", &text])
        .env("SELBENCH_PADDING", "x".repeat(padding))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("a slice cannot be started: {error}"))?;
    if !output.status.success() {
        let (point, subject) = (spec.point(), &spec.subject);
        return Err(format!("{point} on {subject} ended with {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("a slice's answer: {error}"))
}
