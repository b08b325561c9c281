/** Directives of a Content-Security-Policy (level 3, §6.1): a page loads only files of this server, and no inline code. */
export const ownFilesOnly = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
};
