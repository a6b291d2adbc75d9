'use strict';
// What a page of the book does: light or dark, the keys of its timelines, the search.
const root = document.documentElement, stored = name => { try { return localStorage.getItem(name); } catch { return null; } };
if (stored('theme')) root.dataset.theme = stored('theme');

addEventListener('DOMContentLoaded', () => {
  const $ = id => document.getElementById(id);
  if (!$('search')) return;
  $('theme').onclick = () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    try { localStorage.setItem('theme', root.dataset.theme); } catch { /* for this page, then */ }
  };

  // The timeline of which most is seen; `below` takes the next one of the page if there is none.
  const timelines = [...document.querySelectorAll('iframe.timeline')];
  const seen = frame => { const { top, bottom } = frame.getBoundingClientRect(); return Math.min(bottom, innerHeight) - Math.max(top, 0); };
  const inSight = below => {
    const [most] = timelines.filter(frame => seen(frame) > 120).sort((a, b) => seen(b) - seen(a));
    return most || (below && timelines.find(frame => frame.getBoundingClientRect().top > 0));
  };
  const theirs = /^(ArrowLeft|ArrowRight|[wpclntsh1-8+=0?-])$/;
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, pre:focus, .table:focus')) return;
    if (event.key === '/') { event.preventDefault(); $('search').focus(); return; }
    // From the text, the first Tab goes into the timeline; Shift and Tab go where they always do.
    const tab = event.key === 'Tab' && !event.shiftKey && document.activeElement === document.body;
    const frame = tab || theirs.test(event.key) ? inSight(tab) : null;
    if (!frame) return;
    event.preventDefault();
    if (tab) { frame.focus(); frame.scrollIntoView({ block: 'nearest' }); } else frame.contentWindow.postMessage({ key: event.key, shift: event.shiftKey }, '*');
  });

  // The index is read when somebody searches, and not before.
  const results = $('results');
  let index = null;
  const load = () => index ||= new Promise(done => { const script = document.createElement('script'); script.src = 'searchindex.js'; script.onload = () => done(SEARCH); document.head.append(script); });
  const find = (all, words) => all
    .map(([address, page, title, text]) => {
      const [low, head] = [text.toLowerCase(), (page + ' ' + title).toLowerCase()];
      const fits = words.every(word => head.includes(word) || low.includes(word));
      const weight = words.reduce((sum, word) => sum + (head.includes(word) ? 20 : 0) + Math.min(9, low.split(word).length - 1), 0);
      return { address, page, title, text, at: Math.max(0, low.indexOf(words[0]) - 50), weight: fits ? weight : 0 };
    })
    .filter(hit => hit.weight).sort((a, b) => b.weight - a.weight).slice(0, 20);
  $('search').onfocus = load;
  $('search').oninput = async () => {
    const words = $('search').value.toLowerCase().split(/\s+/).filter(Boolean), hits = words.length ? find(await load(), words) : [];
    results.hidden = !words.length;
    results.replaceChildren(...hits.map(hit => {
      const [item, link, said] = ['li', 'a', 'small'].map(name => document.createElement(name));
      link.href = hit.address; link.textContent = hit.page + (hit.page.endsWith(hit.title) ? '' : ': ' + hit.title); said.textContent = '… ' + hit.text.slice(hit.at, hit.at + 160) + ' …';
      item.append(link, said); return item;
    }));
    if (words.length && !hits.length) results.append('Nothing in the book has all of these words.');
  };
  $('search').onkeydown = event => { if (event.key === 'Escape') { $('search').value = ''; results.hidden = true; $('search').blur(); } };
});
