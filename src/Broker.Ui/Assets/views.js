// @ts-check
// Saved views of the list of runs: a name and an address in this browser. The address alone can be shared.
import { make } from './dom.js';

const KEY = 'broker.views';

/** @returns {{ name: string, where: string }[]} */
function saved() {
    try {
        const views = JSON.parse(localStorage.getItem(KEY) ?? '[]');
        return Array.isArray(views) ? views.filter(view => typeof view?.name === 'string' && typeof view?.where === 'string') : [];
    } catch {
        return [];
    }
}

export function views() {
    const part = document.querySelector('[data-views]');
    const list = part?.querySelector('ul');
    const form = part?.querySelector('form');
    if (!part || !list || !form) return;
    const address = part.getAttribute('data-views') ?? '';

    const show = () => {
        for (const own of list.querySelectorAll('[data-own]')) own.remove();
        for (const view of saved()) {
            const item = make('li');
            item.setAttribute('data-own', '');
            const link = make('a', '', view.name);
            link.setAttribute('href', `${address}?where=${encodeURIComponent(view.where)}`);
            const drop = make('button', 'quiet', '✕');
            drop.setAttribute('type', 'button');
            drop.setAttribute('aria-label', `Remove the view ${view.name}`);
            drop.addEventListener('click', () => {
                localStorage.setItem(KEY, JSON.stringify(saved().filter(other => other.name !== view.name)));
                show();
            });
            item.append(link, drop);
            list.append(item);
        }
    };
    form.hidden = false;
    form.addEventListener('submit', event => {
        event.preventDefault();
        const name = /** @type {HTMLInputElement} */ (form.elements.namedItem('name'));
        if (!name.value.trim()) return;
        const where = new URLSearchParams(location.search).get('where') ?? '';
        localStorage.setItem(KEY, JSON.stringify([...saved().filter(view => view.name !== name.value.trim()), { name: name.value.trim(), where }]));
        name.value = '';
        show();
    });
    show();
}
