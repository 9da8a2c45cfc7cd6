// Package browsertest visits the web app in a real Chromium, as a person would:
// with a mouse, with the keyboard alone, on a phone, in the dark, without
// JavaScript, and with axe-core, which finds what people with disabilities would
// stumble over. It takes the site's address, so the same checks look at the
// program by itself and at the bundle behind a load balancer and nginx.
//
// Screenshots of every page are written to build/screenshots, or to the folder
// that the environment variable SCREENSHOTS names.
package browsertest
