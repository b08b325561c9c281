export { changePassword } from './change-password';
