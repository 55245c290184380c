// @ts-check
// Single keys, when no field has the focus. Actions have none.
import { ticks, words } from './choice.js';
import { base } from './dom.js';

const PLACES = { r: 'runs', w: 'workflows', f: 'failures', a: 'waiting', k: 'workers', q: 'queues', b: 'bulk', y: 'audit', u: 'system', o: '' };

/** @param {string} selector */
const press = selector => /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();

/** @param {() => void} refresh */
export function keys(refresh) {
    const help = /** @type {HTMLDialogElement | null} */ (document.querySelector('dialog.help'));
    const opener = /** @type {HTMLElement | null} */ (document.querySelector('[data-help-open]'));
    if (opener) opener.hidden = false;
    opener?.addEventListener('click', () => help?.showModal());
    const off = /** @type {HTMLInputElement | null} */ (document.querySelector('[data-keys-off]'));
    if (off) {
        off.checked = localStorage.getItem('broker.keys') === 'off';
        off.addEventListener('change', () => localStorage.setItem('broker.keys', off.checked ? 'off' : 'on'));
    }

    /** @type {Record<string, () => void>} */
    const acts = {
        '/': () => /** @type {HTMLElement | null} */ (document.querySelector('.search input'))?.focus(),
        '?': () => help?.showModal(),
        p: () => press('[data-live-toggle]'),
        t: () => press('[data-theme-toggle]'),
        c: () => void navigator.clipboard?.writeText(location.href),
        r: refresh,
        j: () => step(1),
        k: () => step(-1),
        x: () => tickRow(),
        a: () => { for (const tick of ticks()) tick.checked = true; words(); },
        f: () => step(1, '.s-failed, tr:has(.state-failed) th a'),
        F: () => press('[data-follow]'),
        l: () => press('.tabs a[href*="tab=logs"]'),
        w: () => press('[data-wrap]'),
        n: () => press('[data-next-hit]'),
        N: () => press('[data-last-hit]'),
    };
    let going = false;
    document.addEventListener('keydown', event => {
        const field = event.target instanceof Element && event.target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]');
        if (field || event.ctrlKey || event.metaKey || event.altKey || off?.checked || help?.open) return;
        if (going) {
            going = false;
            const place = PLACES[/** @type {keyof typeof PLACES} */ (event.key)];
            if (place !== undefined) location.href = `${base}/ui/${place}`;
        } else if (event.key === 'g') going = true;
        else if (event.key === 'Escape') press('.drawer .close');
        else if (/^[1-6]$/.test(event.key)) press(`.tabs a:nth-of-type(${event.key})`);
        else if (acts[event.key]) {
            event.preventDefault();
            acts[event.key]();
        }
    });
}

/**
 * @param {number} by
 * @param {string} [among]
 */
function step(by, among = 'main tbody th a.name, main tbody th[scope=row] > a') {
    const links = [...document.querySelectorAll(among)];
    const at = links.findIndex(link => link === document.activeElement);
    /** @type {HTMLElement | undefined} */ (links[Math.max(0, Math.min(links.length - 1, at + by))])?.focus();
}

function tickRow() {
    const tick = document.activeElement?.closest('tr')?.querySelector('input[name=run]');
    if (tick instanceof HTMLInputElement) tick.click();
}
