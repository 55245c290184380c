using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Broker.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "api_key",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    hash = table.Column<string>(type: "text", nullable: false),
                    scopes = table.Column<string>(type: "text", nullable: false),
                    workflows = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    last_used_at = table.Column<long>(type: "bigint", nullable: true),
                    revoked_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_api_key", x => x.id);
                    table.CheckConstraint("ck_api_key_hash", "length(hash) = 64");
                });

            migrationBuilder.CreateTable(
                name: "audit",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    workflow = table.Column<string>(type: "text", nullable: true),
                    instance_id = table.Column<string>(type: "text", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit", x => x.id);
                });

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
                name: "data_key",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    xml = table.Column<string>(type: "text", nullable: false),
                    added_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_data_key", x => x.name);
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
                    registered_at = table.Column<long>(type: "bigint", nullable: false),
                    from_file = table.Column<bool>(type: "boolean", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: true),
                    withdrawn = table.Column<bool>(type: "boolean", nullable: false)
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
                    client_id = table.Column<string>(type: "text", nullable: true),
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
                name: "log_size",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    workflow = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    bytes = table.Column<long>(type: "bigint", nullable: false),
                    is_cut = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log_size", x => new { x.run_id, x.workflow, x.step });
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
                    start_context = table.Column<string>(type: "text", nullable: true),
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
                .Annotation("Npgsql:StorageParameter:fillfactor", 45);

            migrationBuilder.CreateTable(
                name: "start_key",
                columns: table => new
                {
                    key = table.Column<string>(type: "text", nullable: false),
                    request = table.Column<string>(type: "text", nullable: false),
                    verdict = table.Column<short>(type: "smallint", nullable: false),
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    workflow = table.Column<string>(type: "text", nullable: false),
                    instance_id = table.Column<string>(type: "text", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_start_key", x => x.key);
                });

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
                    ahead = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
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
                    workflows = table.Column<string>(type: "text", nullable: true),
                    registered_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    last_task = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_worker", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "workflow_file",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    file = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<string>(type: "text", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true),
                    changed_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_workflow_file", x => new { x.name, x.source });
                    table.CheckConstraint("ck_workflow_file_state", "(version IS NULL) <> (error IS NULL)");
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_at",
                table: "audit",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_workflow_id",
                table: "audit",
                columns: new[] { "workflow", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_definition_from_file",
                table: "definition",
                column: "from_file",
                filter: "from_file");

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
                name: "IX_definition_seen_at",
                table: "definition",
                column: "seen_at",
                filter: "seen_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_inbox_client",
                table: "inbox",
                columns: new[] { "run_id", "client_id" },
                unique: true,
                filter: "client_id IS NOT NULL");

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
                name: "IX_start_key_at",
                table: "start_key",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_step_claim",
                table: "step",
                columns: new[] { "queue_id", "rank", "due", "idx" },
                filter: "status = 1");

            migrationBuilder.CreateIndex(
                name: "ix_step_leased",
                table: "step",
                column: "fence",
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
                name: "api_key");

            migrationBuilder.DropTable(
                name: "audit");

            migrationBuilder.DropTable(
                name: "counter");

            migrationBuilder.DropTable(
                name: "data_key");

            migrationBuilder.DropTable(
                name: "definition");

            migrationBuilder.DropTable(
                name: "event");

            migrationBuilder.DropTable(
                name: "inbox");

            migrationBuilder.DropTable(
                name: "log");

            migrationBuilder.DropTable(
                name: "log_size");

            migrationBuilder.DropTable(
                name: "queue");

            migrationBuilder.DropTable(
                name: "repository");

            migrationBuilder.DropTable(
                name: "run");

            migrationBuilder.DropTable(
                name: "start_key");

            migrationBuilder.DropTable(
                name: "step");

            migrationBuilder.DropTable(
                name: "stream");

            migrationBuilder.DropTable(
                name: "worker");

            migrationBuilder.DropTable(
                name: "workflow_file");
        }
    }
}
