/** The notices that a person gets. */
export type PersonNotice =
  | 'password_changed'
  | 'password_incomplete'
  | 'password_expiring'
  | 'password_expired'
  | 'one_time_link';
