/**
 * The FleetDesk menu of a Google Sheet.
 *
 * Each item adds one row to the sheet "Run requests". The FleetDesk program that watches this
 * Google Sheet answers in its own sheet "Run answers"; the column State shows the answer beside the
 * request. Nothing else is read or written here, and nothing is sent anywhere.
 */

const REQUESTS = 'Run requests';
const HEADERS = ['When', 'Who', 'What', 'Request', 'State', 'Answer'];
const WAIT_MS = 10000;

/** Google calls this when the sheet is opened. */
function onOpen() {
  SpreadsheetApp.getUi()
    .createMenu('FleetDesk')
    .addItem('Run', 'askForRun')
    .addItem('Check', 'askForCheck')
    .addItem('Undo', 'askForUndo')
    .addToUi();
}

/** Plan the day with the settings as they are now. */
function askForRun() {
  ask('run');
}

/** Name every problem in the settings; nothing is written. */
function askForCheck() {
  ask('check');
}

/** Take the last run back. */
function askForUndo() {
  ask('undo');
}

/** Add a request, one person at a time, and say so. */
function ask(what) {
  const book = SpreadsheetApp.getActiveSpreadsheet();
  const lock = LockService.getDocumentLock();
  if (!lock.tryLock(WAIT_MS)) {
    book.toast('Somebody else is asking just now. Please try again.', 'FleetDesk');
    return;
  }
  try {
    const sheet = requestsSheet(book);
    if (sheet === null) {
      book.toast(
        'The sheet "' + REQUESTS + '" has other columns than ' + HEADERS.slice(0, 4).join(', ') +
          '. Rename it and choose the menu again.',
        'FleetDesk'
      );
      return;
    }
    const row = Math.max(sheet.getLastRow(), 1) + 1;
    const request = [[new Date(), plainText(whoAsks()), what, Utilities.getUuid()]];
    if (row > sheet.getMaxRows()) {
      sheet.insertRowAfter(sheet.getMaxRows());
    }
    sheet.getRange(row, 1, 1, 4).setValues(request);
    sheet.getRange(row, 5, 1, 2).setFormulas([[answerFormula(row, 2), answerFormula(row, 3)]]);
    SpreadsheetApp.flush();
    book.toast('Asked for: ' + what + '. The column State shows the answer.', 'FleetDesk');
  } finally {
    lock.releaseLock();
  }
}

/** The sheet of requests, made when it is missing; null when it is something else. */
function requestsSheet(book) {
  let sheet = book.getSheetByName(REQUESTS);
  if (sheet === null) {
    sheet = book.insertSheet(REQUESTS, book.getNumSheets());
    sheet.getRange(1, 1, 1, HEADERS.length).setValues([HEADERS]).setFontWeight('bold');
    sheet.setFrozenRows(1);
    return sheet;
  }
  const found = sheet.getRange(1, 1, 1, 4).getValues()[0];
  return HEADERS.slice(0, 4).every((header, index) => found[index] === header) ? sheet : null;
}

/** Shows a column of FleetDesk's answer to the request in this row; INDIRECT waits for its sheet. */
function answerFormula(row, column) {
  const waiting = column === 2 ? '"waiting"' : '""';
  return '=IFERROR(VLOOKUP($D' + row + ', INDIRECT("\'Run answers\'!A:C"), ' + column +
    ', FALSE), ' + waiting + ')';
}

/** Who asks, as far as Google tells: outside an organisation it does not. */
function whoAsks() {
  return Session.getActiveUser().getEmail() || 'planner';
}

/** Text that stays text whatever it begins with. */
function plainText(text) {
  return /^[=+\-@']/.test(text) ? "'" + text : text;
}
