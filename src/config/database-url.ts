/** Why a database URL cannot be used, without ever repeating it: it holds a password. */
export function databaseUrlProblem(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) return `is not a postgres:// URL ${notShown}`;
  if (!isDecodable(url.username) || !isDecodable(url.password) || !isDecodable(url.pathname))
    return `has an escape (%..) that is not UTF-8 ${notShown}`;
  if (url.pathname.length < 2) return 'names no database; append /goldmane_edges or the name of yours';
  return undefined;
}

const notShown =
  '(its value is not shown, it may hold a password); percent-encode special characters in the password';

/** A % that begins no escape is taken as it is, as `pg` does; an escape that is not UTF-8 is not. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
    return true;
  } catch {
    return false;
  }
}
