import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AccountRef, Connector, ConnectorTools, FoundAccount } from '../contract';
import { accepted, type Judge, shaped, type Verdict } from '../http/answers';
import { type ApiRequest, apiOf } from '../http/api';
import type { Json } from '../http/body';
import { ok, skipped, wrong } from '../http/checks';
import { openHttp } from '../http/client';
import { connectorOver, type Vendor } from '../http/connector';
import { fixedToken } from '../http/credentials';
import type { ScimSettings } from './settings';

export function openScim(settings: ScimSettings, tools: ConnectorTools): Connector {
  const http = openHttp(settings.url, settings);
  const api = apiOf(http, fixedToken('Bearer', settings.token, tools), TYPE);
  return connectorOver(vendorOf(api, settings, () => http.close()));
}

const TYPE = 'application/scim+json';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const USER_NAME = 'userName';

const userShape = z.looseObject({ id: z.string().min(1), userName: z.string() });
type User = z.infer<typeof userShape>;

const listShape = z.looseObject({
  totalResults: z.number(),
  Resources: z.array(userShape).default([]),
});
