import { parseNet } from '../../text/net.ts';
import { protocolNames } from './shapes/calico-rule.ts';

/**
 * Objects that are written to crd.projectcalico.org directly bypass Calico's validation, and Felix accepts more forms: an
 * address without a prefix, bits after the prefix, and protocols in any case. Returns the object in the validated form.
 */
export function validatedForms(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map((entry) => validatedForms(entry, field));
  if (typeof value === 'string') {
    if (field === 'nets' || field === 'notNets') return parseNet(value)?.masked ?? value;
    if (field === 'protocol' || field === 'notProtocol')
      return protocolNames.find((name) => name.toLowerCase() === value.toLowerCase()) ?? value;
    return value;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]: [string, unknown]) => [key, validatedForms(child, key)]),
  );
}
