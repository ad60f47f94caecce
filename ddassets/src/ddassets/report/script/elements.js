'use strict';
// The page of a rehearsal. Everything shown comes from the JSON in #data and is put in as text, never as markup.

let page = null;
const root = document.documentElement;
const state = {rehearsal: null, from: 0, to: 0, selections: [], chosen: {}, filters: {}, open: null, form: 'email'};

const FRAMES = [['Whole', 0], ['1 w', 604800], ['1 d', 86400], ['4 h', 14400], ['1 h', 3600], ['5 min', 300]];
// The bucket that Datadog's graphs use by default for a frame of up to so many seconds.
const BUCKETS = [[3600, 20], [14400, 60], [86400, 300], [172800, 600], [604800, 3600], [Infinity, 14400]];
const INTERPOLATED = 300;
const SEVERITY = ['OK', 'No Data', 'Unknown', 'Warn', 'Alert'];
const MARGIN = {l: 52, r: 14, t: 8, b: 34};
// Tables that are asked for words of assets have no prototype: `constructor` is no palette.
const PALETTES = {
  __proto__: null,
  dog_classic: ['#4a73d9', '#e0872f', '#2f9e83', '#b4508f', '#8467cf', '#c65a45', '#3f9db5', '#98912f'],
  cool: ['#3574c4', '#36a6a0', '#7383dc', '#70b7d4', '#5a9367'],
  warm: ['#d9622f', '#e6a13a', '#c23b55', '#b5792a', '#e37d80'],
  purple: ['#7f5cc4', '#a884dc', '#5f4aa8', '#c077c9'],
  grey: ['#6e7889', '#9aa3b3', '#4c5566'],
};

// Elements

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PROSE = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'strong', 'em', 's', 'code', 'pre', 'a',
  'blockquote', 'hr', 'br', 'table', 'thead', 'tbody', 'tr', 'th', 'td']);

function prose(nodes) {
  return nodes.map((node) => {
    if (typeof node === 'string') return node;
    const [tag, attributes, children] = node;
    if (!PROSE.has(tag)) return el('span', {}, prose(children));
    const kept = {};
    if (tag === 'ol' && attributes.start) kept.start = attributes.start;
    if (tag === 'a' && /^(https?:|mailto:)/i.test(attributes.href || '')) Object.assign(kept, {href: attributes.href, rel: 'noreferrer'});
    return el(tag, kept, prose(children));
  });
}

const proseBlock = (nodes) => el('div', {class: 'prose', dir: 'auto'}, prose(nodes));
// A name that came from outside, kept from turning the text around it.
const name = (text) => el('bdi', {}, text);
const pill = (what, muted) => el('span', {class: muted ? 'state muted' : 'state', 'data-state': what}, what);
const button = (label, onclick, attributes) => el('button', {type: 'button', class: 'quiet', onclick, ...attributes}, label);

function select(label, options, value, change) {
  const control = el('select', {onchange: () => change(control.value)}, options.map(([key, text]) => el('option', {value: key}, text)));
  control.value = value;
  return el('label', {class: 'field'}, el('span', {}, label), control);
}

function searchField(label, value, change) {
  const control = el('input', {type: 'search', value, oninput: () => change(control.value)});
  return el('label', {class: 'field search'}, el('span', {}, label), control);
}

function segments(label, options, value, choose) {
  return el('span', {class: 'segments', role: 'group', 'aria-label': label}, options.map(([key, text, title]) =>
    el('button', {type: 'button', title, 'aria-pressed': String(key === value), 'data-choice': text, onclick: () => choose(key)}, text)));
}
