/* Every type that crosses the contract, within reach of abidiff: the tables, the extensions', and what they take. */
#include "issuer/control.h"
#include "issuer/credential.h"
#include "issuer/diagnose.h"
#include "issuer/handover.h"
#include "issuer/health.h"
#include "issuer/lifecycle.h"
#include "issuer/secrets.h"

extern ISSUER_EXPORT const issuer_control_ext control;
extern ISSUER_EXPORT const issuer_credential_ext credential;
extern ISSUER_EXPORT const issuer_diagnose_ext diagnosis;
extern ISSUER_EXPORT const issuer_handover_ext handover;
extern ISSUER_EXPORT const issuer_health_ext health;
extern ISSUER_EXPORT const issuer_secrets_ext secrets;

const issuer_lifecycle issuer_lifecycle_v1 = {0};
const issuer_control_ext control = {0};
const issuer_credential_ext credential = {0};
const issuer_diagnose_ext diagnosis = {0};
const issuer_handover_ext handover = {0};
const issuer_health_ext health = {0};
const issuer_secrets_ext secrets = {0};
