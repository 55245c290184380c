// @ts-check
// Small parts that the other scripts share.

export const root = document.documentElement;

/** Path below which the broker is served. */
export const base = root.dataset.base ?? '';

/** @type {{ createHTML(text: string): any }} */
const policy = /** @type {any} */ (window).trustedTypes
    ? /** @type {any} */ (window).trustedTypes.createPolicy('broker', { createHTML: (/** @type {string} */ text) => text })
    : { createHTML: text => text };

/**
 * The document of a page of the console. No other text becomes markup.
 * @param {string} text
 */
export function pageOf(text) {
    return new DOMParser().parseFromString(policy.createHTML(text), 'text/html');
}

const line = /** @type {HTMLElement | null} */ (document.querySelector('[data-live-state]'));
const banner = /** @type {HTMLElement | null} */ (document.querySelector('[data-banner]'));

/**
 * Says the state of the updates in the foot of the page.
 * @param {string} words
 */
export function say(words) {
    if (line && line.textContent !== words) line.textContent = words;
}

/**
 * Says a fault above the page; empty words take it away.
 * @param {string} words
 */
export function warn(words) {
    if (!banner || banner.textContent === words) return;
    banner.textContent = words;
    banner.hidden = words === '';
}

/**
 * @param {string} name
 * @param {string} [className]
 * @param {string} [text]
 */
export function make(name, className, text) {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
}
