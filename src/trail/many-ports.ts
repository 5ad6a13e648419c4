/** The stored port of facts whose port is not kept apart: ports beyond the cap. */
export const manyPorts = -1;
