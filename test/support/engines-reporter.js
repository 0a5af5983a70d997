/** Says at the end on which databases the suite through the graph ran: a missing engine must not look like a passed one. */
module.exports = class EnginesReporter {
  ran = new Set();

  onTestResult(test) {
    this.ran.add(test.context.config.displayName?.name);
  }

  onRunComplete() {
    const engines = ['sqlite', 'mariadb'].map((engine) => `${engine}: ${this.ran.has(engine) ? 'ran' : 'did not run'}`);
    console.log(`\nDatabases  ${engines.join(' · ')}`);
  }
};
