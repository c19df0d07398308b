// An SMPP message centre for tests. It writes a line of JSON for everything that happens, and takes
// commands, a line each: {"status": 88} answers the next submissions so, {"drop": true} cuts every
// session, {"hold": true} answers nothing any more, {"receipt": "DELIVRD"} sends a receipt for each message.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

let status = 0, hold = false, receipt = '', count = 0;
const sessions = new Set();
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');

// Receipts are as message centres write them (SMPP 3.4, appendix B).
function sendReceipt(session, pdu, id) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:${receipt} err:000 text:`;
  session.deliver_sm({
    esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, short_message: text,
  });
}

function onSubmit(session, pdu) {
  if (hold) return;
  const id = `m${++count}`;
  const body = pdu.short_message || {};
  const payload = pdu.message_payload || {};
  tell({
    event: 'submit', id, to: pdu.destination_addr, from: pdu.source_addr, coding: pdu.data_coding,
    ton: [pdu.source_addr_ton, pdu.dest_addr_ton], registered: pdu.registered_delivery,
    text: body.message ?? '', udh: body.udh ? Buffer.concat([].concat(body.udh)).toString('hex') : '',
    payload: payload.message ?? '',
  });
  session.send(pdu.response({ command_status: status, message_id: status ? '' : id }));
  if (receipt && !status) sendReceipt(session, pdu, id);
}

const server = smpp.createServer((session) => {
  sessions.add(session);
  session.on('bind_transceiver', (pdu) => {
    if (hold) return;
    const right = pdu.system_id === 'seuil' && pdu.password === 'secret';
    tell({ event: 'bind', right });
    session.send(pdu.response({ command_status: right ? 0 : smpp.ESME_RBINDFAIL }));
  });
  session.on('submit_sm', (pdu) => onSubmit(session, pdu));
  session.on('enquire_link', (pdu) => {
    tell({ event: 'enquire' });
    if (!hold) session.send(pdu.response());
  });
  session.on('deliver_sm_resp', () => tell({ event: 'receipt taken' }));
  session.on('unbind', (pdu) => { tell({ event: 'unbind' }); session.send(pdu.response()); session.close(); });
  session.on('close', () => sessions.delete(session));
  session.on('error', () => {});
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  if ('status' in command) status = command.status;
  if ('hold' in command) hold = command.hold;
  if ('receipt' in command) receipt = command.receipt;
  if (command.drop) for (const session of sessions) session.destroy();
  tell({ event: 'done' });
}).on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => tell({ event: 'listening', port: server.address().port }));
