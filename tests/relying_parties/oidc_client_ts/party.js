// A single page on oidc-client-ts. `seuil` (authority, client_id, scope) is what the test gives it.
const here = location.origin + location.pathname;
const manager = new oidc.UserManager({
  ...seuil,
  redirect_uri: here,
  silent_redirect_uri: here,
  post_logout_redirect_uri: here,
  loadUserInfo: true,
});
window.manager = manager;

const output = document.querySelector("output");
const show = async () => (output.textContent = (await manager.getUser())?.profile.email ?? "nobody");

document.querySelector("#in").onclick = () => manager.signinRedirect({ nonce: crypto.randomUUID() });
document.querySelector("#out").onclick = () => manager.signoutRedirect();

if (new URLSearchParams(location.search).has("state")) {
  try {
    await manager.signinCallback();
    history.replaceState(null, "", here);
    await show();
  } catch (error) {
    output.textContent = error.message;
  }
} else {
  await show();
}
