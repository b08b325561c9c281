/** Whether an id is a UUID. UUIDs are unique in practice, so a source never gives one to another account. */
export const isUuid = (id: string): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
