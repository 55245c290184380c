using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.JobsDialect;

public sealed class PostgresWorkflowExchangeTests(PostgresApp app) : WorkflowExchangeSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteWorkflowExchangeTests(SqliteApp app) : WorkflowExchangeSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobPathTests(PostgresApp app) : JobPathSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobPathTests(SqliteApp app) : JobPathSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobFuzzTests(PostgresApp app) : JobFuzzSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobFuzzTests(SqliteApp app) : JobFuzzSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobSemanticsTests(PostgresApp app) : JobSemanticsSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobSemanticsTests(SqliteApp app) : JobSemanticsSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobLogTests(PostgresApp app) : JobLogSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobLogTests(SqliteApp app) : JobLogSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobBatchTests(PostgresApp app) : JobBatchSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobBatchTests(SqliteApp app) : JobBatchSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobExchangeTests(PostgresApp app) : JobExchangeSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobExchangeTests(SqliteApp app) : JobExchangeSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresStockWorkerTests(PostgresApp app) : StockWorkerSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteStockWorkerTests(SqliteApp app) : StockWorkerSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobRunTests(PostgresApp app) : JobRunSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobRunTests(SqliteApp app) : JobRunSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobInputTests(PostgresApp app) : JobInputSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobInputTests(SqliteApp app) : JobInputSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresJobWaitTests(PostgresApp app) : JobWaitSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteJobWaitTests(SqliteApp app) : JobWaitSuite(app), IClassFixture<SqliteApp>;

public sealed class PostgresPostedFileTests(PostgresApp app) : PostedFileSuite(app), IClassFixture<PostgresApp>;

public sealed class SqlitePostedFileTests(SqliteApp app) : PostedFileSuite(app), IClassFixture<SqliteApp>;
