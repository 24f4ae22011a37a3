// Runs the menu script in node against stand-ins for Google's services, and prints what it did.
'use strict';
const fs = require('fs');
const vm = require('vm');

const [script, scenario] = [process.argv[2], JSON.parse(process.argv[3])];
const log = { toasts: [], menu: [], locked: 0, released: 0, flushed: 0 };

class Range {
  constructor(sheet, row, column, rows, columns) {
    Object.assign(this, { sheet, row, column, rows, columns });
  }
  check(block) {
    if (block.length !== this.rows || block.some((line) => line.length !== this.columns)) {
      throw new Error('The data does not match the range');
    }
  }
  put(block, kind) {
    this.check(block);
    block.forEach((line, r) => line.forEach((value, c) => {
      const key = (this.row + r) + ',' + (this.column + c);
      // As in Google Sheets: an apostrophe in front keeps text from being a formula.
      const text = typeof value === 'string' && value.startsWith("'") ? value.slice(1) : value;
      const formula = kind === 'formula' || (typeof value === 'string' && value.startsWith('='));
      this.sheet.cells[key] = { value: text, kind: formula ? 'formula' : typeof value };
    }));
    return this;
  }
  setValues(block) { return this.put(block, 'value'); }
  setFormulas(block) { return this.put(block, 'formula'); }
  setFontWeight() { return this; }
  getValues() {
    return Array.from({ length: this.rows }, (_, r) => Array.from({ length: this.columns }, (_, c) =>
      (this.sheet.cells[(this.row + r) + ',' + (this.column + c)] || { value: '' }).value));
  }
}

class Sheet {
  constructor(name, cells) { Object.assign(this, { name, cells, max: scenario.maxRows || 1000 }); }
  getRange(row, column, rows, columns) {
    if (row + rows - 1 > this.max) throw new Error('Those rows are out of bounds');
    return new Range(this, row, column, rows, columns);
  }
  getLastRow() { return Math.max(0, ...Object.keys(this.cells).map((key) => +key.split(',')[0])); }
  getMaxRows() { return this.max; }
  insertRowAfter() { this.max += 1; }
  setFrozenRows() {}
}

const sheets = {};
for (const [name, rows] of Object.entries(scenario.sheets || {})) {
  const cells = {};
  rows.forEach((row, r) => row.forEach((value, c) => {
    if (value !== null) cells[(r + 1) + ',' + (c + 1)] = { value, kind: typeof value };
  }));
  sheets[name] = new Sheet(name, cells);
}

const book = {
  getSheetByName: (name) => sheets[name] || null,
  insertSheet: (name) => (sheets[name] = new Sheet(name, {})),
  getNumSheets: () => Object.keys(sheets).length,
  toast: (text, title) => log.toasts.push([title, text]),
};
const menu = {
  addItem(label, action) { log.menu.push([label, action]); return this; },
  addToUi() { log.shown = true; },
};
let number = 0;
const context = vm.createContext({
  SpreadsheetApp: {
    getUi: () => ({ createMenu: (name) => { log.title = name; return menu; } }),
    getActiveSpreadsheet: () => book,
    flush: () => { log.flushed += 1; },
  },
  LockService: { getDocumentLock: () => ({
    tryLock: () => { log.locked += 1; return !scenario.busy; },
    releaseLock: () => { log.released += 1; },
  }) },
  Session: { getActiveUser: () => ({ getEmail: () => scenario.email }) },
  Utilities: { getUuid: () => 'uuid-' + (number += 1) },
});
vm.runInContext(fs.readFileSync(script, 'utf8'), context);
for (const action of scenario.actions) {
  try {
    vm.runInContext(action + '()', context);
  } catch (error) {
    log.error = String(error);
  }
}
log.sheets = Object.fromEntries(Object.entries(sheets).map(([name, sheet]) => [name, sheet.cells]));
console.log(JSON.stringify(log));
