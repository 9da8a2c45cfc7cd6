// What Lambda's managed Node runtime does at the least: it loads the function's index.js and hands it events from the
// Runtime API, one at a time ("Using the Lambda runtime API for custom runtimes", AWS Lambda Developer Guide). It is as
// short and as quick as it can be, in favour of the handler.
'use strict';
const http = require('node:http');
const path = require('node:path');

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true });

const call = (method, resource, body) => new Promise((resolve, reject) => {
  const request = http.request({ agent, hostname, port, method, path: '/2018-06-01/runtime/' + resource }, response => {
    const chunks = [];
    response.on('data', chunk => chunks.push(chunk));
    response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    response.on('error', reject);
  });
  request.on('error', reject);
  request.end(body);
});

const { handler } = require(path.join(process.env.LAMBDA_TASK_ROOT, 'index.js'));

(async () => {
  for (;;) {
    const { headers, body } = await call('GET', 'invocation/next');
    const id = headers['lambda-runtime-aws-request-id'];
    try {
      const answer = await handler(JSON.parse(body));
      await call('POST', `invocation/${id}/response`, JSON.stringify(answer ?? null));
    } catch (error) {
      const errorMessage = String(error?.message ?? error);
      await call('POST', `invocation/${id}/error`, JSON.stringify({ errorType: 'Error', errorMessage }));
    }
  }
})();
