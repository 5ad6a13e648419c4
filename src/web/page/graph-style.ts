import type { StylesheetJson } from 'cytoscape';

/** The look of the drawn map, in the colours of the page's style sheet. */
export function graphStyle(): StylesheetJson {
  const css = getComputedStyle(document.documentElement);
  const color = (name: string) => css.getPropertyValue(`--${name}`).trim();
  return [
    {
      selector: 'node[name]',
      style: {
        label: 'data(name)',
        shape: 'round-rectangle',
        width: 'data(width)',
        height: 'data(height)',
        'background-color': color('card'),
        'border-color': color('line'),
        'border-width': 1,
        color: color('text'),
        'font-size': 15,
        'text-valign': 'center',
        'text-max-width': '250px',
        'text-wrap': 'ellipsis',
        'z-index-compare': 'manual',
        'z-index': 10,
      },
    },
    {
      selector: 'node.group',
      style: {
        shape: 'round-rectangle',
        width: 'data(width)',
        height: 'data(height)',
        'background-color': color('island'),
        'border-color': color('line'),
        'border-width': 0.5,
        events: 'no',
        'z-index-compare': 'manual',
        'z-index': 0,
      },
    },
    {
      selector: 'node.title',
      style: {
        label: 'data(title)',
        width: 1,
        height: 1,
        'background-opacity': 0,
        color: color('quiet'),
        'font-size': 16,
        'text-valign': 'center',
        'text-background-color': color('island'),
        'text-background-opacity': 0.85,
        'text-background-padding': '3px',
        events: 'no',
        'z-index-compare': 'manual',
        'z-index': 8,
      },
    },
    { selector: 'node.hub', style: { 'background-color': color('hub'), 'font-weight': 'bold' } },
    { selector: 'node.focus', style: { 'border-color': color('accent'), 'border-width': 3 } },
    {
      selector: 'edge',
      style: {
        width: 1.5,
        'curve-style': 'bezier',
        'line-color': color('allowed'),
        'target-arrow-color': color('allowed'),
        'target-arrow-shape': 'triangle',
        'arrow-scale': 0.9,
        'z-index-compare': 'manual',
        'z-index': 5,
      },
    },
    {
      selector: 'edge.denied',
      style: {
        'line-color': color('denied'),
        'target-arrow-color': color('denied'),
        'line-style': 'dashed',
        width: 2,
      },
    },
    {
      selector: 'edge.mixed',
      style: { 'line-color': color('mixed'), 'target-arrow-color': color('mixed'), width: 2 },
    },
    {
      selector: 'node.external',
      style: { 'border-style': 'dashed', 'background-color': color('page'), color: color('quiet') },
    },
    {
      selector: 'edge.appeared',
      style: { 'line-color': color('accent'), 'target-arrow-color': color('accent'), width: 2 },
    },
    {
      selector: 'edge.fell-silent',
      style: {
        'line-color': color('quiet'),
        'target-arrow-color': color('quiet'),
        'line-style': 'dotted',
        width: 3,
      },
    },
    {
      selector: 'edge.now-denied',
      style: {
        'line-color': color('denied'),
        'target-arrow-color': color('denied'),
        'line-style': 'dashed',
        width: 3,
      },
    },
    {
      selector: 'edge.now-allowed',
      style: { 'line-color': color('good'), 'target-arrow-color': color('good'), width: 3 },
    },
    // A new namespace appears with its lines to all shared ones, which would cover the rest.
    { selector: 'edge.appeared.shared, edge.fell-silent.shared', style: { opacity: 0.35, width: 1.2 } },
    { selector: 'edge.muted', style: { opacity: 0.12, width: 0.8, 'target-arrow-shape': 'none' } },
    { selector: '.faded', style: { opacity: 0.1 } },
    { selector: 'edge.focus', style: { opacity: 1, width: 2, 'target-arrow-shape': 'triangle' } },
  ];
}
