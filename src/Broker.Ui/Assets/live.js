// @ts-check
// Live pages without a framework. A region asks for its own page again and swaps what has changed: rows with the same key and version stay
// as they are, and so do focus and selection. Pages work without this script.

/** @type {{ createHTML(text: string): any }} */
const policy = /** @type {any} */ (window).trustedTypes
    ? /** @type {any} */ (window).trustedTypes.createPolicy('broker', { createHTML: (/** @type {string} */ text) => text })
    : { createHTML: text => text };

const root = document.documentElement;
const base = root.dataset.base ?? '';
const state = { paused: sessionStorage.getItem('broker.paused') === '1', waiting: 0, busy: false, slow: false, due: false };
const line = /** @type {HTMLElement | null} */ (document.querySelector('[data-live-state]'));

/** @param {string} words */
function say(words) {
    if (line && line.textContent !== words) line.textContent = words;
}

/** @param {Element} region */
function isHeld(region) {
    const focused = document.activeElement;
    return Boolean(region.querySelector('details[open], dialog[open], [data-selected]'))
        || Boolean(focused && region.contains(focused) && focused.matches('input, textarea, select'))
        || !(document.getSelection()?.isCollapsed ?? true);
}

/**
 * Takes over what differs. Children with a key are matched by it; other children by their place.
 * @param {Element} present
 * @param {Element} next
 */
function merge(present, next) {
    for (const name of present.getAttributeNames()) if (!next.hasAttribute(name)) present.removeAttribute(name);
    for (const name of next.getAttributeNames()) {
        if (present.getAttribute(name) !== next.getAttribute(name)) present.setAttribute(name, next.getAttribute(name) ?? '');
    }

    /** @type {Map<string, Element>} */
    const known = new Map();
    for (const child of present.children) {
        const key = child.getAttribute('data-key');
        if (key) known.set(key, child);
    }

    let at = present.firstChild;
    for (const fresh of [...next.childNodes]) {
        const key = fresh instanceof Element ? fresh.getAttribute('data-key') : null;
        const match = key ? known.get(key) : at && isLike(at, fresh) ? at : null;
        if (!match) {
            present.insertBefore(document.importNode(fresh, true), at);
            continue;
        }

        if (match !== at) present.insertBefore(match, at);
        else at = at.nextSibling;
        if (match instanceof Element && fresh instanceof Element) {
            if (match.localName === 'dag-view') /** @type {any} */ (match).refresh?.(fresh);
            else if (!key || match.getAttribute('data-v') !== fresh.getAttribute('data-v') || !match.hasAttribute('data-v') || !match.isEqualNode(fresh)) merge(match, fresh);
        } else if (match.nodeValue !== fresh.nodeValue) {
            match.nodeValue = fresh.nodeValue;
        }
    }

    while (at) {
        const rest = at.nextSibling;
        at.remove();
        at = rest;
    }
}

/**
 * @param {ChildNode} present
 * @param {ChildNode} fresh
 */
function isLike(present, fresh) {
    return present.nodeType === fresh.nodeType && present.nodeName === fresh.nodeName
        && !(present instanceof Element && present.hasAttribute('data-key'));
}

async function refresh() {
    const regions = [...document.querySelectorAll('live-region')];
    if (regions.length === 0) return;
    if (state.paused || regions.some(isHeld)) {
        state.waiting++;
        say(`${state.waiting} ${state.waiting === 1 ? 'change' : 'changes'} waiting`);
        return;
    }

    if (state.busy) {
        state.due = true;
        return;
    }

    state.busy = true;
    const begun = performance.now();
    try {
        const answer = await fetch(location.href, { headers: { 'X-Fragment': 'live' }, cache: 'no-store' });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const next = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
        for (const region of regions) {
            const fresh = next.getElementById(region.id);
            if (fresh) merge(region, fresh);
        }

        localTimes(document);
        state.waiting = 0;
        say('');
    } catch (fault) {
        say(`not updated: ${fault instanceof Error ? fault.message : fault}`);
    } finally {
        state.busy = false;
        state.slow = performance.now() - begun > 200;
        if (state.due) {
            state.due = false;
            soon();
        }
    }
}

let timer = 0;
function soon() {
    if (!timer) timer = setTimeout(() => { timer = 0; void refresh(); }, state.slow ? 2000 : 500);
}

/** Hints say that something has changed, never what. Where no stream can be had, the page asks every ten seconds. */
function listen() {
    const regions = [...document.querySelectorAll('live-region:not([data-ended])')];
    if (regions.length === 0) return;
    const topics = [...new Set(regions.flatMap(region => (region.getAttribute('data-topics') ?? '').split(',').filter(Boolean)))];
    let stream = /** @type {EventSource | null} */ (null);
    let poll = 0;
    const open = () => {
        if (stream || document.hidden) return;
        stream = new EventSource(`${base}/api/v1/changes?topics=${encodeURIComponent(topics.join(','))}`);
        stream.addEventListener('hello', () => { clearInterval(poll); poll = 0; soon(); });
        stream.addEventListener('change', soon);
        stream.addEventListener('error', () => {
            say('reconnecting');
            if (!poll) poll = setInterval(soon, 10000);
        });
    };
    const close = () => { stream?.close(); stream = null; clearInterval(poll); poll = 0; };
    document.addEventListener('visibilitychange', () => document.hidden ? close() : (open(), soon()));
    addEventListener('pagehide', close);
    open();
}

/** @param {ParentNode} within */
function localTimes(within) {
    for (const time of within.querySelectorAll('time[datetime]')) {
        const at = new Date(time.getAttribute('datetime') ?? '');
        const now = new Date(time.getAttribute('data-now') ?? '');
        const isNear = Math.abs(now.getTime() - at.getTime()) < 20 * 3600e3;
        const words = isNear ? at.toLocaleTimeString('en-GB') : at.toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
        if (time.textContent !== words) time.textContent = words;
    }
}

function themes() {
    const button = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-theme-toggle]'));
    const apply = (/** @type {string | null} */ theme) => theme ? root.setAttribute('data-theme', theme) : root.removeAttribute('data-theme');
    apply(localStorage.getItem('broker.theme'));
    if (!button) return;
    button.hidden = false;
    button.addEventListener('click', () => {
        const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
        localStorage.setItem('broker.theme', dark ? 'light' : 'dark');
        apply(dark ? 'light' : 'dark');
    });
}

function pauses() {
    const button = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-live-toggle]'));
    if (!button || !document.querySelector('live-region:not([data-ended])')) return;
    const show = () => {
        button.setAttribute('aria-pressed', String(state.paused));
        button.textContent = state.paused ? 'Resume updates' : 'Pause updates';
    };
    button.hidden = false;
    show();
    button.addEventListener('click', () => {
        state.paused = !state.paused;
        sessionStorage.setItem('broker.paused', state.paused ? '1' : '0');
        show();
        if (!state.paused) void refresh();
    });
}

const places = { r: 'runs', w: 'workflows', a: 'waiting', k: 'workers', q: 'queues', y: 'audit' };

function keys() {
    let going = false;
    document.addEventListener('keydown', press => {
        const field = press.target instanceof Element && press.target.closest('input, textarea, select, [contenteditable]');
        if (field || press.ctrlKey || press.metaKey || press.altKey) return;
        if (going) {
            going = false;
            const page = places[/** @type {keyof typeof places} */ (press.key)];
            if (page) location.href = `${base}/ui/${page}`;
            return;
        }

        if (press.key === '/') {
            press.preventDefault();
            /** @type {HTMLElement | null} */ (document.querySelector('.search input'))?.focus();
        } else if (press.key === 'g') going = true;
        else if (press.key === 'p') /** @type {HTMLElement | null} */ (document.querySelector('[data-live-toggle]'))?.click();
        else if (press.key === 't') /** @type {HTMLElement | null} */ (document.querySelector('[data-theme-toggle]'))?.click();
        else if (press.key === 'r') void refresh();
        else if (press.key === 'j' || press.key === 'k') step(press.key === 'j' ? 1 : -1);
    });
}

/** @param {number} by */
function step(by) {
    const links = [...document.querySelectorAll('tbody th a.name, tbody th[scope=row] > a')];
    const at = links.findIndex(link => link === document.activeElement);
    /** @type {HTMLElement | undefined} */ (links[Math.max(0, Math.min(links.length - 1, at + by))])?.focus();
}

themes();
localTimes(document);
pauses();
keys();
listen();
