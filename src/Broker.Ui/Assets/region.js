// @ts-check
// Regions that follow the broker. A region asks for its own page again and swaps what has changed: rows with the same key and version stay
// as they are, and so do focus and selection.
import { pageOf, root, say, warn } from './dom.js';

const QUICK = 500;
const SLOW = 2000;

const state = { paused: sessionStorage.getItem('broker.paused') === '1', waiting: 0, busy: false, slow: false, due: false };
let timer = 0;

function regions() {
    return [...document.querySelectorAll('live-region')];
}

/** @param {Element} region */
function isHeld(region) {
    const focused = document.activeElement;
    const selection = document.getSelection();
    return Boolean(region.querySelector('details[open], dialog[open], input[name=run]:checked'))
        || Boolean(focused && region.contains(focused) && focused.matches('input:not([type=checkbox]), textarea, select'))
        || Boolean(selection && !selection.isCollapsed && region.contains(selection.anchorNode));
}

/**
 * Takes over what differs. Children with a key are matched by it; other children by their place.
 * @param {Element} present
 * @param {Element} next
 */
export function merge(present, next) {
    for (const name of present.getAttributeNames()) if (!next.hasAttribute(name) && !name.startsWith('data-own')) present.removeAttribute(name);
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
        if (key && match && match.localName !== /** @type {Element} */ (fresh).localName) {
            match.replaceWith(document.importNode(fresh, true));
            continue;
        }

        if (!match) {
            present.insertBefore(document.importNode(fresh, true), at);
            continue;
        }

        if (match !== at) present.insertBefore(match, at);
        else at = at.nextSibling;
        if (match instanceof Element && fresh instanceof Element) mergeElement(match, fresh);
        else if (match.nodeValue !== fresh.nodeValue) match.nodeValue = fresh.nodeValue;
    }

    while (at) {
        const rest = at.nextSibling;
        at.remove();
        at = rest;
    }
}

/**
 * @param {Element} present
 * @param {Element} fresh
 */
function mergeElement(present, fresh) {
    // An element with a drawing of its own takes over the data itself.
    const own = /** @type {any} */ (present).takeOver;
    if (typeof own === 'function') own.call(present, fresh);
    else if (present instanceof HTMLInputElement) keepInput(present, fresh);
    else if (!present.isEqualNode(fresh)) merge(present, fresh);
}

/**
 * A value that was typed stays.
 * @param {HTMLInputElement} present
 * @param {Element} fresh
 */
function keepInput(present, fresh) {
    const isTicked = present.checked;
    merge(present, fresh);
    present.checked = isTicked;
}

/**
 * @param {ChildNode} present
 * @param {ChildNode} fresh
 */
function isLike(present, fresh) {
    return present.nodeType === fresh.nodeType && present.nodeName === fresh.nodeName
        && !(present instanceof Element && present.hasAttribute('data-key'));
}

function hold() {
    state.waiting++;
    say(`${state.waiting} ${state.waiting === 1 ? 'change' : 'changes'} waiting`);
}

/**
 * Reads the page again.
 * @param {boolean} [isAsked] A person asked: neither a pause nor a selection holds it.
 */
export async function refresh(isAsked = false) {
    const present = regions();
    if (present.length === 0) return;
    if (!isAsked && (state.paused || present.some(isHeld))) return hold();
    if (state.busy) {
        state.due = true;
        return;
    }

    state.busy = true;
    const begun = performance.now();
    try {
        const answer = await fetch(location.href, { headers: { 'X-Fragment': 'live' }, cache: 'no-store' });
        if (answer.status === 401) return location.reload();
        if (!answer.ok) throw new Error(`the broker answered ${answer.status}`);
        const next = pageOf(await answer.text());
        for (const region of present) {
            const fresh = next.getElementById(region.id);
            if (fresh) merge(region, fresh);
        }

        localTimes(document);
        state.waiting = 0;
        say('');
        if (next.documentElement.dataset.version !== root.dataset.version) warn('The console has a new version: reload this page.');
        else warn('');
    } catch (fault) {
        warn(`Not updated, the page shows its last state: ${fault instanceof Error ? fault.message : fault}`);
        state.slow = true;
        soon();
    } finally {
        state.busy = false;
        state.slow = performance.now() - begun > 200;
        if (state.due) {
            state.due = false;
            soon();
        }
    }
}

/** Reads the page again before long: hints in between are one. */
export function soon() {
    if (!timer) timer = setTimeout(() => { timer = 0; void refresh(); }, state.slow ? SLOW : QUICK);
}

/** @param {ParentNode} within */
export function localTimes(within) {
    for (const time of within.querySelectorAll('time[datetime]')) {
        const at = new Date(time.getAttribute('datetime') ?? '');

        // The broker's clock, since the browser's may be wrong.
        const now = new Date(time.getAttribute('data-now') ?? '');
        const isNear = Math.abs(now.getTime() - at.getTime()) < 20 * 3600e3;
        const words = isNear ? at.toLocaleTimeString('en-GB') : at.toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
        if (time.textContent !== words) time.textContent = words;
    }
}

export function pauses() {
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

    // What held the page may have ended with this: a tick, a form that closes.
    const release = () => { if (state.waiting > 0) soon(); };
    document.addEventListener('change', release);
    document.addEventListener('toggle', release, true);
    document.addEventListener('focusout', release);
}
