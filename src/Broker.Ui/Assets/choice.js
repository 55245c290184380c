// @ts-check
// Ticks of rows: all that match, a range with Shift, and the words that say how many.

/** The tick that was used last. */
let last = /** @type {HTMLInputElement | null} */ (null);

/** @returns {HTMLInputElement[]} */
export function ticks() {
    return [...document.querySelectorAll('input[name=run]')].filter(tick => tick instanceof HTMLInputElement);
}

export function choices() {
    const form = document.querySelector('[data-choice]');
    if (!form) return;
    form.addEventListener('click', event => {
        const tick = event.target;
        if (!(tick instanceof HTMLInputElement) || tick.type !== 'checkbox') return;
        if (tick.name === 'all') for (const row of ticks()) row.checked = tick.checked;
        else if (event instanceof MouseEvent && event.shiftKey && last) range(last, tick);
        if (tick.name === 'run') last = tick;
        words();
    });
    form.addEventListener('change', words);
    words();
}

/**
 * @param {HTMLInputElement} from
 * @param {HTMLInputElement} to
 */
function range(from, to) {
    const all = ticks();
    const [a, b] = [all.indexOf(from), all.indexOf(to)].sort((x, y) => x - y);
    if (a >= 0) for (const row of all.slice(a, b + 1)) row.checked = to.checked;
}

export function words() {
    const line = document.querySelector('[data-choice-words]');
    const all = /** @type {HTMLInputElement | null} */ (document.querySelector('[data-choice-all]'));
    if (!line || !all) return;
    const rows = ticks();
    const chosen = rows.filter(row => row.checked).length;
    const left = rows.length - chosen;
    line.textContent = all.checked
        ? left > 0 && chosen > 0 ? `all that match, without ${left} of this page:` : 'all that match:'
        : `${chosen} ticked:`;
}
