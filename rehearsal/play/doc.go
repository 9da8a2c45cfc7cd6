// Package play plays the deployment of one environment from its synthesized templates, in the order of the page that
// Drawbridge grew from: a public database so that each part can be tried, the read-only users, the flip to private, and
// then everything again. Its parts are real: MySQL, the Lambda function's own program, sshd, autossh, nginx, the bundle
// that Elastic Beanstalk gets, and a network that does what security groups and route tables say.
//
// It takes Linux and root; elsewhere it holds what needs neither.
package play
