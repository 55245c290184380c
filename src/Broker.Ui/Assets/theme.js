// @ts-check
import { root } from './dom.js';

/** The theme of the system, or the one that was chosen here. */
export function themes() {
    const button = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-theme-toggle]'));
    if (!button) return;
    button.hidden = false;
    button.addEventListener('click', () => {
        const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
        const theme = isDark ? 'light' : 'dark';
        root.dataset.theme = theme;

        // The server writes it into the next page, so that no page flashes.
        document.cookie = `broker-theme=${theme}; path=${root.dataset.base ?? ''}/; max-age=31536000; samesite=strict`;
    });
}
