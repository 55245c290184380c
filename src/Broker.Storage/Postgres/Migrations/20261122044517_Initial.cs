using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "counter",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    next = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_counter", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "definition",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    name = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<string>(type: "text", nullable: false),
                    fingerprint = table.Column<string>(type: "text", nullable: false),
                    document = table.Column<string>(type: "text", nullable: false),
                    latest_order = table.Column<long>(type: "bigint", nullable: false),
                    registered_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_definition", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "event",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<string>(type: "text", nullable: false),
                    @internal = table.Column<bool>(name: "internal", type: "boolean", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_event", x => new { x.run_id, x.seq });
                });

            migrationBuilder.CreateTable(
                name: "inbox",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    id = table.Column<long>(type: "bigint", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    payload = table.Column<string>(type: "text", nullable: true),
                    target_step = table.Column<int>(type: "integer", nullable: true),
                    delivered_at = table.Column<long>(type: "bigint", nullable: true),
                    consumed_by = table.Column<int>(type: "integer", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_inbox", x => new { x.run_id, x.id });
                    table.CheckConstraint("ck_inbox_consumed", "(consumed_by IS NULL) = (delivered_at IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "log",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    run_id = table.Column<long>(type: "bigint", nullable: true),
                    workflow = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: true),
                    level = table.Column<string>(type: "text", nullable: false),
                    category = table.Column<string>(type: "text", nullable: false),
                    message = table.Column<string>(type: "text", nullable: false),
                    data = table.Column<string>(type: "text", nullable: true),
                    sequence = table.Column<long>(type: "bigint", nullable: false),
                    stream = table.Column<string>(type: "text", nullable: false),
                    timestamp_ms = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "queue",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    definition_id = table.Column<int>(type: "integer", nullable: true),
                    labels = table.Column<string>(type: "text", nullable: false),
                    priority = table.Column<int>(type: "integer", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_queue", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "repository",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    workflows = table.Column<string>(type: "text", nullable: false),
                    credentials = table.Column<string>(type: "text", nullable: false),
                    registered_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_repository", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "run",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false),
                    workflow = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    instance_id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    number = table.Column<int>(type: "integer", nullable: false),
                    is_current = table.Column<bool>(type: "boolean", nullable: false),
                    definition_id = table.Column<int>(type: "integer", nullable: false),
                    phase = table.Column<short>(type: "smallint", nullable: false),
                    active = table.Column<int>(type: "integer", nullable: false),
                    joins = table.Column<string>(type: "text", nullable: true),
                    mail = table.Column<int>(type: "integer", nullable: false),
                    streams = table.Column<bool>(type: "boolean", nullable: false),
                    inputs = table.Column<string>(type: "text", nullable: false),
                    context = table.Column<string>(type: "text", nullable: true),
                    result = table.Column<string>(type: "text", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true),
                    trace_parent = table.Column<string>(type: "text", nullable: true),
                    instance_created_at = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: true),
                    resumed_at = table.Column<long>(type: "bigint", nullable: true),
                    updated_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_run", x => x.id);
                    table.CheckConstraint("ck_run_active", "active >= 0");
                    table.CheckConstraint("ck_run_ended", "(phase < 3 AND ended_at IS NULL) OR (phase >= 3 AND ended_at IS NOT NULL AND active = 0)");
                    table.CheckConstraint("ck_run_mail", "mail >= 0");
                    table.CheckConstraint("ck_run_phase", "phase BETWEEN 0 AND 5");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.02)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_threshold", 2000)
                .Annotation("Npgsql:StorageParameter:fillfactor", 85);

            migrationBuilder.CreateTable(
                name: "step",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    idx = table.Column<int>(type: "integer", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    queue_id = table.Column<int>(type: "integer", nullable: false),
                    rank = table.Column<long>(type: "bigint", nullable: false),
                    due = table.Column<long>(type: "bigint", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    losses = table.Column<int>(type: "integer", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true),
                    queued_at = table.Column<long>(type: "bigint", nullable: false),
                    granted_at = table.Column<long>(type: "bigint", nullable: true),
                    expires_at = table.Column<long>(type: "bigint", nullable: true),
                    lease_secs = table.Column<int>(type: "integer", nullable: false),
                    begun_at = table.Column<long>(type: "bigint", nullable: true),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    result = table.Column<string>(type: "text", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_step", x => new { x.run_id, x.idx });
                    table.CheckConstraint("ck_step_counts", "attempt >= 0 AND losses >= 0");
                    table.CheckConstraint("ck_step_lease", "status <> 2 OR (fence IS NOT NULL AND worker IS NOT NULL AND granted_at IS NOT NULL AND expires_at IS NOT NULL)");
                    table.CheckConstraint("ck_step_status", "status BETWEEN 1 AND 8");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.02)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_threshold", 2000)
                .Annotation("Npgsql:StorageParameter:fillfactor", 85);

            migrationBuilder.CreateTable(
                name: "stream",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    next = table.Column<long>(type: "bigint", nullable: false),
                    read_to = table.Column<long>(type: "bigint", nullable: false),
                    reader = table.Column<string>(type: "text", nullable: true),
                    reader_until = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stream", x => x.run_id);
                    table.CheckConstraint("ck_stream_position", "next >= 0 AND read_to >= -1");
                });

            migrationBuilder.CreateTable(
                name: "worker",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<short>(type: "smallint", nullable: false),
                    labels = table.Column<string>(type: "text", nullable: false),
                    definitions = table.Column<string>(type: "text", nullable: false),
                    registered_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    last_task = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_worker", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_definition_name_latest_order",
                table: "definition",
                columns: new[] { "name", "latest_order" });

            migrationBuilder.CreateIndex(
                name: "IX_definition_name_version",
                table: "definition",
                columns: new[] { "name", "version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_log_run_id_id",
                table: "log",
                columns: new[] { "run_id", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_log_workflow_step_id",
                table: "log",
                columns: new[] { "workflow", "step", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_queue_key",
                table: "queue",
                column: "key",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_run_instance_id",
                table: "run",
                column: "instance_id");

            migrationBuilder.CreateIndex(
                name: "IX_run_workflow_created_at_id",
                table: "run",
                columns: new[] { "workflow", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_run_workflow_instance_id_number",
                table: "run",
                columns: new[] { "workflow", "instance_id", "number" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_step_claim",
                table: "step",
                columns: new[] { "queue_id", "rank", "due", "idx" },
                filter: "status = 1");

            migrationBuilder.CreateIndex(
                name: "ix_step_leased",
                table: "step",
                columns: new[] { "run_id", "idx" },
                filter: "status = 2");

            migrationBuilder.CreateIndex(
                name: "ix_step_waiting",
                table: "step",
                column: "due",
                filter: "status = 3");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "counter");

            migrationBuilder.DropTable(
                name: "definition");

            migrationBuilder.DropTable(
                name: "event");

            migrationBuilder.DropTable(
                name: "inbox");

            migrationBuilder.DropTable(
                name: "log");

            migrationBuilder.DropTable(
                name: "queue");

            migrationBuilder.DropTable(
                name: "repository");

            migrationBuilder.DropTable(
                name: "run");

            migrationBuilder.DropTable(
                name: "step");

            migrationBuilder.DropTable(
                name: "stream");

            migrationBuilder.DropTable(
                name: "worker");
        }
    }
}
