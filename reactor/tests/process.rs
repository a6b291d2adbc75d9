//! Child processes: their pipes, their end, their killing, and those that nobody waits for.
#![cfg(unix)]

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_lite::future::{poll_once, zip};
use reactor::errno_of;
use reactor::process::{output, spawn};
use reactor::time::sleep;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pattern};

on_every_backend!(
    the_status_of_a_child_is_awaited,
    the_loop_goes_on_while_a_child_runs,
    a_wait_can_be_given_up_and_repeated,
    many_children_end_in_any_order,
    pipes_carry_more_than_they_hold,
    both_outputs_are_collected_at_once,
    waiting_closes_the_input,
    a_killed_child_tells_its_signal,
    a_child_killed_by_its_drop_is_reaped,
    a_dropped_child_goes_on_and_is_reaped_later,
    a_dropped_wait_for_output_kills_and_reaps,
    a_program_that_does_not_exist_is_named,
    why_a_program_cannot_be_started_is_told,
    children_that_are_dropped_share_one_thread,
    a_missing_working_directory_is_named,
);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command
}

fn the_status_of_a_child_is_awaited(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let mut child = spawn(&mut shell("exit 7"))?;
        assert_eq!(child.wait().await?.code(), Some(7));
        assert_eq!(child.wait().await?.code(), Some(7), "it is still known");
        assert_eq!(child.try_wait()?.expect("ended").code(), Some(7));
        drop(child);
        assert_eq!(runtime.reactor().keys(), 0);
        Ok(())
    })?
}

fn the_loop_goes_on_while_a_child_runs(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut child = spawn(shell("read line").stdin(Stdio::piped()))?;
        let stdin = child.stdin.take().expect("a pipe");
        let (status, written) = zip(child.wait(), async {
            for _ in 0..3 {
                sleep(Duration::from_millis(1)).await;
            }
            stdin.write_all(b"line\n").await
        })
        .await;
        written?;
        assert!(status?.success());
        Ok(())
    })
}

fn a_wait_can_be_given_up_and_repeated(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut child = spawn(shell("cat").stdin(Stdio::piped()).stdout(Stdio::null()))?;
        let stdin = child.stdin.take();
        for _ in 0..3 {
            assert!(poll_once(child.wait()).await.is_none());
            assert!(child.try_wait()?.is_none());
        }
        drop(stdin);
        assert!(child.wait().await?.success());
        Ok(())
    })
}

fn many_children_end_in_any_order(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut waits = Vec::new();
        for code in 0..20 {
            let mut child = spawn(&mut shell(&format!("exit {code}")))?;
            waits.push(executor::spawn(async move { child.wait().await }));
        }
        for (code, wait) in (0..20).zip(waits).rev() {
            assert_eq!(wait.await.expect("no panic")?.code(), Some(code));
        }
        Ok(())
    })
}

fn pipes_carry_more_than_they_hold(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut cat = Command::new("cat");
        let mut child = spawn(cat.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let message = pattern(6, 1_000_000);
        let mut copy = Vec::new();
        let (sent, read) = zip(
            async {
                stdin.write_all(&message).await?;
                drop(stdin);
                io::Result::Ok(())
            },
            stdout.read_to_end(&mut copy),
        )
        .await;
        sent?;
        read?;
        assert!(copy == message);
        assert!(child.wait().await?.success());
        Ok(())
    })
}

fn both_outputs_are_collected_at_once(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        // Each is more than a pipe holds, so reading one after the other would wait for ever.
        let script = "head -c 200000 /dev/zero >&2; head -c 300000 /dev/zero; exit 3";
        let output = output(&mut shell(script)).await?;
        assert_eq!(output.stderr.len(), 200_000);
        assert_eq!(output.stdout.len(), 300_000);
        assert_eq!(output.status.code(), Some(3));
        Ok(())
    })
}

fn waiting_closes_the_input(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut cat = Command::new("cat");
        let child = spawn(cat.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        child
            .stdin
            .as_ref()
            .expect("a pipe")
            .write_all(b"all")
            .await?;
        let output = child.wait_with_output().await?;
        assert_eq!(output.stdout, b"all");
        Ok(())
    })
}

fn a_killed_child_tells_its_signal(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut child = spawn(&mut shell("exec sleep 600"))?;
        assert!(child.try_wait()?.is_none());
        child.kill()?;
        assert_eq!(child.wait().await?.signal(), Some(9));
        child.kill()?;
        Ok(())
    })
}

/// Is there a process of this number, a zombie included?
fn exists(id: u32) -> bool {
    fs::metadata(format!("/proc/{id}")).is_ok()
}

/// No other child is started or awaited meanwhile.
async fn until_reaped(id: u32) -> io::Result<()> {
    while exists(id) {
        sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

fn a_child_killed_by_its_drop_is_reaped(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut child = spawn(&mut shell("exec sleep 600"))?;
        child.kill_on_drop(true);
        let id = child.id();
        drop(child);
        until_reaped(id).await
    })
}

fn a_dropped_child_goes_on_and_is_reaped_later(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut child = spawn(
            shell("read line; echo done")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        )?;
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let id = child.id();
        drop(child);
        stdin.write_all(b"go\n").await?;
        let mut said = Vec::new();
        stdout.read_to_end(&mut said).await?;
        assert_eq!(said, b"done\n");
        until_reaped(id).await
    })
}

fn a_dropped_wait_for_output_kills_and_reaps(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let folder = tempfile("output")?;
        let mut command = shell(&format!("echo $$ > {}; exec sleep 600", folder.display()));
        let mut output = Box::pin(output(&mut command));
        let id = loop {
            assert!(poll_once(&mut output).await.is_none());
            if let Ok(id) = fs::read_to_string(&folder)
                .unwrap_or_default()
                .trim()
                .parse()
            {
                break id;
            }
            sleep(Duration::from_millis(1)).await;
        };
        drop(output);
        fs::remove_file(folder)?;
        until_reaped(id).await
    })
}

fn tempfile(name: &str) -> io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("process-{name}-{}-{next}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, b"")?;
    Ok(path)
}

fn why_a_program_cannot_be_started_is_told(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = tempfile("garbage")?;
        fs::write(&path, b"\x01\x02garbage")?;
        let errno = |command: &mut Command| errno_of(&spawn(command).expect_err("it is none"));
        assert_eq!(errno(&mut Command::new(&path)), Some(libc::EACCES));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        // While another test forks, its child holds the file open for writing.
        while errno(&mut Command::new(&path)) == Some(libc::ETXTBSY) {}
        assert_eq!(errno(&mut Command::new(&path)), Some(libc::ENOEXEC));
        assert_eq!(
            errno(&mut Command::new("/no/such/program")),
            Some(libc::ENOENT)
        );
        fs::remove_file(path)
    })
}

fn a_program_that_does_not_exist_is_named(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let error = spawn(&mut Command::new("/no/such/program")).expect_err("it is not there");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error
                .to_string()
                .starts_with("start \"/no/such/program\": "),
            "{error}"
        );
        Ok(())
    })
}

fn threads_for_orphans() -> io::Result<usize> {
    let mut found = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        // One that has just ended has no name.
        let name = fs::read_to_string(thread?.path().join("comm")).unwrap_or_default();
        found += usize::from(name.trim().starts_with("orphan"));
    }
    Ok(found)
}

fn children_that_are_dropped_share_one_thread(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut ids, mut inputs) = (Vec::new(), Vec::new());
        for _ in 0..24 {
            let mut child = spawn(shell("read line").stdin(Stdio::piped()))?;
            inputs.extend(child.stdin.take());
            ids.push(child.id());
        }
        // Those of the other tests are watched by the same, which may just have ended and begun.
        let found = threads_for_orphans()?;
        assert!(found < 8, "{found} threads for 24 children");
        drop(inputs);
        for id in ids {
            until_reaped(id).await?;
        }
        while threads_for_orphans()? > 0 {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

fn a_missing_working_directory_is_named(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let error = spawn(Command::new("true").current_dir("/no/such/directory"))
            .expect_err("it is not there");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(errno_of(&error), Some(libc::ENOENT));
        let text = error.to_string();
        assert!(
            text.starts_with("start \"true\": no working directory \"/no/such/directory\": "),
            "{text}"
        );
        let error = spawn(Command::new("/no/such/program").current_dir("/"));
        let text = error.expect_err("it is not there").to_string();
        assert!(!text.contains("directory /"), "{text}");
        Ok(())
    })
}
