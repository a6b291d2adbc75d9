//! The built book in a real browser, without a network: every timeline has drawn its events and shows
//! the source, keys turn the one that is in sight, Tab goes into it, no page is wider than its window,
//! each has its place in the reading order, and the search finds something.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use trace::browser;

/// Opens every page in a frame, wide and narrow, and leaves what it saw in its own text. Timelines
/// that load only when they are scrolled to are told to load at once.
const VISITOR: &str = r#"<!doctype html><meta charset="utf-8"><body><script>
const pages = PAGES, widths = [1280, 390], seen = [];
const loaded = frame => new Promise(done => frame.addEventListener('load', done, { once: true }));
const pause = () => new Promise(done => setTimeout(done, 200));
// Canvas and page colour alone are two; a lane with its events has more.
const colours = canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
};
const visit = async (page, width) => {
  const frame = document.createElement('iframe');
  Object.assign(frame.style, { width: width + 'px', height: '800px' });
  frame.src = page;
  const ready = loaded(frame);
  document.body.append(frame);
  await ready;
  const inside = frame.contentWindow, root = inside.document.documentElement;
  for (const timeline of inside.document.querySelectorAll('iframe.timeline')) {
    const name = page + ' ' + width + ': ' + timeline.getAttribute('src');
    const there = loaded(timeline);
    timeline.loading = 'eager';
    timeline.src = timeline.src;
    await there; await pause();
    const viewer = timeline.contentWindow;
    const { events, shapes } = viewer.document.documentElement.dataset;
    const canvas = viewer.document.querySelector('canvas');
    const drawn = events > 0 && shapes > 0 && canvas && colours(canvas) > 2;
    const button = [...viewer.document.querySelectorAll('button')].find(b => b.offsetWidth > 0);
    const fits = viewer.document.documentElement.scrollWidth <= viewer.innerWidth;
    const faults = [drawn || 'nothing is drawn', button || 'no button', fits || 'wider than its frame'];
    // The source, in sight: its first lines are inside of their panel, and the panel in the frame.
    const source = viewer.document.getElementById('source'), aside = source.closest('aside').getBoundingClientRect();
    faults.push(source.getBoundingClientRect().top + 30 < Math.min(aside.bottom, viewer.innerHeight) || 'the source is out of sight');
    timeline.scrollIntoView({ block: 'center' });
    const where = () => viewer.document.getElementById('where').textContent.split(' of')[0], press = key => inside.document.body.dispatchEvent(new inside.KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    const before = where(), scrolled = inside.scrollY;
    press('ArrowRight'); await pause();
    faults.push(where() !== before || 'the arrow does not turn it', inside.scrollY === scrolled || 'the arrow turns the page');
    inside.document.activeElement.blur(); press('Tab');
    faults.push(inside.document.activeElement === timeline || 'Tab does not go into it');
    inside.document.activeElement.blur();
    const wrong = faults.filter(fault => fault !== true && typeof fault === 'string');
    seen.push((wrong.length ? 'FAULT ' : 'timeline ') + [name, events + ' events', shapes + ' shapes', ...wrong].join(', '));
  }
  const here = [...inside.document.querySelectorAll('#contents [aria-current=page]')].map(link => link.getAttribute('href')).join();
  const order = inside.document.querySelectorAll('.order a').length, ways = page === pages[0] || page === pages.at(-1) ? 1 : 2;
  if (here !== page || order < ways) seen.push('FAULT ' + page + ': not in the contents, or nothing before or behind it');
  const fits = root.scrollWidth <= inside.innerWidth;
  seen.push((fits ? 'page ' : 'FAULT ') + page + ' ' + width + (fits ? '' : ': ' + root.scrollWidth + ' wide'));
  if (page === pages[0] && width === widths[0]) {
    const bar = inside.document.getElementById('search');
    let hits = 0;
    bar.focus();
    for (let tries = 0; tries < 50 && hits === 0; tries += 1) {
      bar.value = 'waker';
      bar.dispatchEvent(new inside.Event('input'));
      await pause();
      hits = inside.document.querySelectorAll('#results li').length;
    }
    seen.push((hits > 0 ? 'search ' : 'FAULT ') + 'waker: ' + hits + ' hits');
  }
  frame.remove();
};
(async () => {
  try {
    for (const page of pages) for (const width of widths) await visit(page, width);
  } catch (error) { seen.push('FAULT ' + error); }
  document.body.textContent = 'SEEN\n' + seen.join('\n') + '\nEND\n';
})();
</script></body>"#;

/// What the browser has seen.
#[derive(Debug)]
pub struct Seen {
    /// Pages and timelines that are as they should be.
    pub good: Vec<String>,
    /// Those that are not.
    pub faults: Vec<String>,
}

/// Opens the pages of the book in a folder; nothing if there is no Chromium here.
///
/// # Errors
///
/// The browser cannot be run, or did not get to the end.
pub fn open(folder: &Path, pages: &[String]) -> io::Result<Option<Seen>> {
    let Some(chromium) = browser::chromium() else {
        return Ok(None);
    };
    let quoted: Vec<String> = pages.iter().map(|page| format!("{page:?}")).collect();
    let visitor = VISITOR.replacen("PAGES", &format!("[{}]", quoted.join(",")), 1);
    // Beside the pages, so that it may look into them.
    let page = Scratch(folder.join("visitor.html"));
    fs::write(&page.0, visitor)?;
    let profile = Scratch(env::temp_dir().join(format!("book-browser-{}", process::id())));
    let output = Command::new(chromium)
        .args(browser::ALONE)
        .args([
            "--allow-file-access-from-files",
            "--window-size=1400,900",
            // Of the browser's own clock, which stands still while a page loads: no limit that a
            // busy machine could break.
            "--virtual-time-budget=600000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.0.display()))
        .arg(format!("file://{}", page.0.canonicalize()?.display()))
        .output()?;
    let dom = String::from_utf8_lossy(&output.stdout);
    let seen = dom
        .split_once("SEEN\n")
        .and_then(|(_, rest)| Some(rest.rsplit_once("\nEND")?.0))
        .ok_or_else(|| io::Error::other("the browser did not get to the end of the book"))?;
    let (faults, good) = seen
        .lines()
        .map(str::to_owned)
        .partition(|line| line.starts_with("FAULT"));
    Ok(Some(Seen { good, faults }))
}

/// A file or folder that goes when it is no longer needed.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // One of the two it is; it may not have been made.
        let _ = fs::remove_file(&self.0).or_else(|_| fs::remove_dir_all(&self.0));
    }
}
