declare module 'virtual:elk-worker' {
  const text: string;
  export default text;
}
