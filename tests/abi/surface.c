/* Every type that crosses the contract, within reach of abidiff: the tables, the extensions', and what they take. */
#include "issuer/control.h"
#include "issuer/credential.h"
#include "issuer/handover.h"
#include "issuer/health.h"
#include "issuer/lifecycle.h"

extern ISSUER_EXPORT const issuer_control_ext control;
extern ISSUER_EXPORT const issuer_credential_ext credential;
extern ISSUER_EXPORT const issuer_handover_ext handover;
extern ISSUER_EXPORT const issuer_health_ext health;

const issuer_lifecycle issuer_lifecycle_v1 = {0};
const issuer_control_ext control = {0};
const issuer_credential_ext credential = {0};
const issuer_handover_ext handover = {0};
const issuer_health_ext health = {0};
