export { changePassword } from './change-password';
export { deliverNotice } from './deliver-notice';
